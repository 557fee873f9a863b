"""JSON of a run folder, field by field: a value of another type than GPO writes is one line that names file and field.

Knows no record; whoever reads one says what its fields are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, NoReturn, TypeVar

from gpo.errors import RunError

T = TypeVar("T")
_NAMES = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}


class Record:
    """A JSON object. `source` says where it stands: the file and the path within it. Every reader takes None or a
    missing field for `default`, and raises `RunError` where there is something else than its name says."""

    def __init__(self, source: str, data: Any) -> None:
        self.source = source
        if not isinstance(data, Mapping):
            _refuse(source, "an object", data)
        self.data: Mapping[str, Any] = data

    def text(self, name: str, default: str = "") -> str:
        """Any text."""
        value = self.data.get(name)
        return default if value is None else self._of(name, str, "text")

    def text_or_none(self, name: str) -> str | None:
        """Any text, None where there is none."""
        return None if self.data.get(name) is None else self.text(name)

    def number(self, name: str, low: float = -math.inf, high: float = math.inf) -> float | None:
        """A finite number from `low` to `high`, as it stands there."""
        value = self.data.get(name)
        if value is None:
            return None
        if not is_number(value) or not low <= value <= high:
            limits = "" if math.isinf(low) else f" from {low:g} to {high:g}"
            _refuse(f"{self.source}.{name}", f"a number{limits}", value)
        return value  # type: ignore[no-any-return]

    def share(self, name: str) -> float | None:
        """A score in 0..1."""
        return self.number(name, 0, 1)

    def count(self, name: str, most: int = 2**62) -> int | None:
        """A whole number from 0 to `most`."""
        value = self.number(name, 0, most)
        if value is not None and not isinstance(value, int):
            _refuse(f"{self.source}.{name}", "a whole number", value)
        return value

    def record(self, name: str) -> Record:
        """An object, an empty one by default."""
        value = self.data.get(name)
        return Record(f"{self.source}.{name}", {} if value is None else value)

    def items(self, name: str) -> list[Any]:
        """A list of anything, empty by default."""
        value = self.data.get(name)
        return [] if value is None else self._of(name, list, "a list")

    def records(self, name: str) -> Iterator[Record]:
        """A list of objects."""
        for number, item in enumerate(self.items(name)):
            yield Record(f"{self.source}.{name}[{number}]", item)

    def _of(self, name: str, kind: type[T], what: str) -> T:
        value = self.data[name]
        if not isinstance(value, kind):
            _refuse(f"{self.source}.{name}", what, value)
        return value


def build(cls: type[T], record: Record) -> T:
    """The dataclass `cls` from the fields of `record`, whose types its annotations say. Raises `RunError`, also for a
    field that it does not have."""
    known = {item.name: str(item.type) for item in fields(cls)}  # type: ignore[arg-type]
    for name, value in record.data.items():
        place = f"{record.source}.{name}"
        if name not in known:
            raise RunError(f"{place[:300]}: is not known; was it written by another version of GPO?")
        kinds = {part.strip() for part in known[name].split("|")}
        if value is None and "None" in kinds:
            continue
        if "str" in kinds and isinstance(value, str):
            continue
        if "bool" in kinds and isinstance(value, bool):
            continue
        if kinds & {"int", "float"} and is_number(value) and ("float" in kinds or isinstance(value, int)):
            continue
        if kinds & {"int", "float", "str", "bool"}:
            _refuse(place, " or ".join(sorted(kinds)), value)
    return cls(**record.data)


def is_number(value: Any) -> bool:
    """Whether what JSON gave is a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) < 2**63 if isinstance(value, int) else math.isfinite(value)


def _refuse(place: str, what: str, value: Any) -> NoReturn:
    given = _NAMES.get(type(value)) or f"the number {str(value)[:20] if abs(value) < 1e18 else '…'}"
    raise RunError(
        f"{place[:300]}: must be {what}, not {given}; restore the file from a copy or move the run away"
    )
