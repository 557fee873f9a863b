"""JSON of a run folder, field by field: a value of another type than GPO writes is one line that names file and field.

Whoever reads a record says what its fields are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, NoReturn, TypeVar

from gpo.errors import RunError

T = TypeVar("T")
WAY_OUT = "restore it from a copy, or move the run away and start anew"
_NAMES = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}


class Record:
    """A JSON object at `place` of the file `source`. Every reader takes None or a missing field for its default, and
    raises `RunError` where there is something else than its name says; `way_out` ends that line."""

    def __init__(self, source: object, place: str, data: Any, way_out: str = WAY_OUT) -> None:
        self.source, self.place, self.way_out = source, place, way_out
        if not isinstance(data, Mapping):
            self.refuse(place, "must be an object", data)
        self.data: Mapping[str, Any] = data

    def refuse(self, place: str, what: str, *given: Any) -> NoReturn:
        """Raise the line that says what is wrong at `place`, and what was given there."""
        found = f", not {_name(given[0])}" if given else ""
        raise RunError(f"{self.source}: is damaged ({place[:200]} {what}{found}); {self.way_out}")

    def inner(self, name: str) -> str:
        """The place of the field `name`."""
        return f"{self.place}.{name}" if self.place else name

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
            self.refuse(self.inner(name), f"must be a number{limits}", value)
        return value  # type: ignore[no-any-return]

    def share(self, name: str) -> float | None:
        """A score in 0..1."""
        return self.number(name, 0, 1)

    def count(self, name: str, most: int = 2**62) -> int | None:
        """A whole number from 0 to `most`."""
        value = self.number(name, 0, most)
        if value is not None and not isinstance(value, int):
            self.refuse(self.inner(name), "must be a whole number", value)
        return value

    def record(self, name: str) -> Record:
        """An object, an empty one by default."""
        value = self.data.get(name)
        return Record(self.source, self.inner(name), {} if value is None else value, self.way_out)

    def items(self, name: str) -> list[Any]:
        """A list of anything, empty by default."""
        value = self.data.get(name)
        return [] if value is None else self._of(name, list, "a list")

    def records(self, name: str) -> Iterator[Record]:
        """A list of objects."""
        for number, item in enumerate(self.items(name)):
            yield Record(self.source, f"{self.inner(name)}[{number}]", item, self.way_out)

    def _of(self, name: str, kind: type[T], what: str) -> T:
        value = self.data[name]
        if not isinstance(value, kind):
            self.refuse(self.inner(name), f"must be {what}", value)
        return value


def build(cls: type[T], record: Record) -> T:
    """The dataclass `cls` from the fields of `record`, whose types its annotations say. Raises `RunError`, also for a
    field that it does not have."""
    known = {item.name: str(item.type) for item in fields(cls)}  # type: ignore[arg-type]
    for name, value in record.data.items():
        if name not in known:
            record.refuse(record.inner(name), "is not known")
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
            record.refuse(record.inner(name), f"must be {' or '.join(sorted(kinds))}", value)
    return cls(**record.data)


def is_number(value: Any) -> bool:
    """Whether what JSON gave is a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) < 2**63 if isinstance(value, int) else math.isfinite(value)


def _name(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"the number {value:g}" if is_number(value) else "a number that cannot be"
    return _NAMES.get(type(value), type(value).__name__)
