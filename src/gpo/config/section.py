"""What all sections of the configuration have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator


class Section(BaseModel):
    """A section of the configuration: unknown keys are errors, a number is a finite one and never `true`, and a value
    is never changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Python counts `true` as 1: a cap of one call, say, where a switch was meant."""
        kinds = set(_kinds(cls.model_fields[str(info.field_name)].annotation))
        if (
            kinds & {int, float}
            and bool not in kinds
            and any(isinstance(part, bool) for part in _parts(value))
        ):
            held = isinstance(value, dict | list | tuple)
            raise ValueError("must have numbers, not true or false" if held else "must be a number")
        return value


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types that an annotation is made of."""
    yield annotation
    for inner in get_args(annotation):
        yield from _kinds(inner)


def _parts(value: Any) -> list[Any]:
    """A value, or what is in it."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else [value]
