"""JSON answers: the one value in a reply that fits the schema, alone, in a fence or within prose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from gpo.task.answer.reader import Answer, Prediction
from gpo.task.answer.structured.schema import find_misfit

_FENCE = re.compile(r"```[\w+-]{0,30}[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)
_LONGEST = 200_000
"""Characters: a longer reply is no answer that somebody expects."""


class JsonReader:
    """The value that a reply holds, as JSON text with sorted keys: the whole reply, or what stands in its fences, or
    the objects within it (lists too where the schema asks for one).

    What does not fit `schema` does not count. A reply with two different values is unreadable, and so is one with an
    object that does not end, that names a key twice, or that is JSON only by somebody's leave (NaN, single quotes).
    """

    def __init__(self, schema: Mapping[str, Any] | None = None) -> None:
        self.schema = schema
        self._lists = bool(schema) and "array" in _types(schema or {})

    @property
    def form(self) -> str:
        """For the optimizer model."""
        keys = list((self.schema or {}).get("properties", {}))
        return f"a JSON object with the keys {', '.join(keys)}" if keys else "a JSON value"

    @property
    def request(self) -> str:
        """The turn that asks for the bare answer."""
        return f"Now give the final answer as {self.form} and nothing else."

    @property
    def continuation(self) -> str:
        """What a base model is given in place of that turn."""
        return "\nThe final answer as JSON:"

    def read(self, text: str, question: str = "") -> Prediction:
        """The answer in `text`, None where there is none or more than one."""
        if len(text) > _LONGEST:
            return None
        for part in ([text], _FENCE.findall(text)):
            whole = {found for one in part if (found := self._fitting(_parsed(one.strip()))) is not None}
            if whole:
                return whole.pop() if len(whole) == 1 else None
        values: set[str] = set()
        for value in self._find_within(text):
            if value is None:
                return None
            if (fitting := self._fitting(value)) is not None:
                values.add(fitting)
        return values.pop() if len(values) == 1 else None

    def normal(self, target: str | float, question: str = "") -> Answer:
        """The expected answer in the form of `read`. Raises `ValueError` with what is wrong with it."""
        value = _parsed(str(target)) if isinstance(target, str) else (target,)
        if value is None:
            raise ValueError(f"{str(target)[:80]!r} is no JSON")
        if self.schema is not None and (misfit := find_misfit(self.schema, value[0])):
            raise ValueError(f"does not fit task.answer.schema: {misfit}")
        return write_json(value[0])

    def _fitting(self, value: tuple[Any] | None) -> str | None:
        if value is None or (self.schema is None and not isinstance(value[0], dict | list)):
            return None
        if self.schema is not None and find_misfit(self.schema, value[0]):
            return None
        return write_json(value[0])

    def _find_within(self, text: str) -> Iterator[tuple[Any] | None]:
        """The outermost values in `text`; None where one does not end, so that nothing after it is sure."""
        opening = re.compile(r"[{\[]" if self._lists else r"\{")
        place = 0
        while match := opening.search(text, place):
            try:
                value, place = _DECODER.raw_decode(text, match.start())
                yield (value,)
            except (ValueError, RecursionError):
                end = _balanced(text, match.start())
                if end is None:
                    yield None
                    return
                place = end


def write_json(value: Any) -> str:
    """`value` as text: keys sorted, so that equal values are equal texts."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    kind = schema.get("type", ())
    return (kind,) if isinstance(kind, str) else tuple(kind)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _parsed(text: str) -> tuple[Any] | None:
    """The value that `text` is, in a tuple, as null is one too."""
    try:
        return (_DECODER.decode(text),)
    except (ValueError, RecursionError):
        return None


def _balanced(text: str, start: int) -> int | None:
    """Where the bracket at `start` is closed, by the count of brackets outside quotes; None where it is not."""
    depth = 0
    for match in re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}\[\]]').finditer(text, start):
        token = match[0]
        if token in "{[":
            depth += 1
        elif token in "}]":
            depth -= 1
            if depth <= 0:
                return match.end()
    return None
