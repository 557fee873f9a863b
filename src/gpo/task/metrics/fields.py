"""JSON answers compared field by field."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from gpo.task.answer.reader import Answer
from gpo.task.example import Example
from gpo.task.metrics.texts import TOLERANCE, as_text, normalised


def share_of_fields(prediction: Answer, targets: Sequence[Answer], example: Example) -> float:
    """The share of fields that are right, of the best target: the fields are those of the target and those that the
    answer has beside them, so a field that was made up costs as much as one that is missing.

    Objects are looked into, lists are right as a whole. Texts are the same as in exact match, numbers within a
    millionth; null is the same as no field."""
    found = json.loads(as_text(prediction))
    return max((_share(found, json.loads(as_text(target))) for target in targets), default=0.0)


def _share(found: Any, expected: Any) -> float:
    one, other = dict(_fields(found)), dict(_fields(expected))
    names = one.keys() | other.keys()
    if not names:
        return 1.0
    return sum(name in one and name in other and _same(one[name], other[name]) for name in names) / len(names)


def _fields(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _fields(part, (*path, name))
    elif value is not None:
        yield path, value


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(one, str) and isinstance(other, str):
        return normalised(one) == normalised(other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return _share(one, other) == 1.0
    return one is None and other is None
