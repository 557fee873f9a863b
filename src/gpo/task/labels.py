"""Which labels a task has, out of its rows: those of the test split do not count."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from gpo.errors import DataError
from gpo.task.answer import AnswerReader
from gpo.task.answer.label import quote
from gpo.task.example import Example, Target

_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.0+)?")
_GAPS: Final = frozenset({"nan", "NaN", "<NA>", "NaT"})
"""How data frames write a missing value."""
_DOUBTFUL: Final = _GAPS | {"None", "none", "NONE", "null", "NULL", "NA", "N/A", "n/a", "#N/A"}


def list_references(target: Target) -> tuple[str | float, ...]:
    """The expected answers, each of which is right."""
    return target if isinstance(target, tuple) else (target,)


def leave_out_test(found: Mapping[str, Sequence[Example]]) -> list[Example]:
    """The examples of all splits but test, which a search may know of."""
    return [example for name, part in found.items() if name != "test" for example in part]


def restore_whole_labels(
    found: Mapping[str, Sequence[Example]], listed: Sequence[str]
) -> dict[str, Sequence[Example]]:
    """`found` with targets such as "1.0" as the "1" that they were before a gap made the column one of floats: where
    all labels but those of test are whole numbers. With `listed` labels it is the form that is listed."""
    texts = {str(one).strip() for example in leave_out_test(found) for one in list_references(example.target)}
    if not listed and not all(map(_NUMBER.fullmatch, texts)):
        return dict(found)

    def label(reference: str | float) -> str | float:
        text = str(reference).strip()
        if text in listed or not _NUMBER.fullmatch(text):
            return reference
        whole = text.partition(".")[0]
        if listed:
            return next((form for form in (whole, f"{whole}.0") if form in listed), reference)
        return reference if whole == text else whole

    def changed(example: Example) -> Example:
        labels = tuple(map(label, list_references(example.target)))
        if labels == list_references(example.target):
            return example
        return replace(example, target=tuple(map(str, labels)) if len(labels) > 1 else labels[0])

    return {name: [changed(example) for example in part] for name, part in found.items()}


def check_gaps(found: Sequence[Example], kind: str, listed: Sequence[str]) -> list[str]:
    """Warnings about texts that may stand for a missing value, a line for each text, unless they are `listed`. Raises
    `DataError` naming the row of a label that does."""
    places: dict[str, list[str]] = {}
    for example in found:
        for text in {str(one).strip() for one in list_references(example.target)} & _DOUBTFUL - set(listed):
            if kind == "label" and text in _GAPS:
                raise DataError(
                    f"{example.source}: the target {quote(text)} is how a missing value is written; fill it in, take "
                    "the row out, or list it in task.answer.labels"
                )
            places.setdefault(text, []).append(example.source)
    return [
        f"{sources[0]}: the target {quote(text)} may stand for a missing value (in {len(sources)} rows)"
        for text, sources in places.items()
    ]


def warn_of_unknown_labels(test: Sequence[Example], reader: AnswerReader) -> list[str]:
    """A warning where rows of `test` have a label that `reader` was not told of, since no other split has it."""
    rows = [
        example
        for example in test
        if not any(_is_known(one, reader) for one in list_references(example.target))
    ]
    if not rows:
        return []
    labels = sorted({str(list_references(example.target)[0]) for example in rows})
    named = ", ".join(map(quote, labels[:5])) + (", …" if len(labels) > 5 else "")
    return [
        f"{len(rows)} of {len(test)} test rows have a label that no other split has: {named}; no prompt was told of it "
        f"and only a reply of nothing but the label is right there (the first is {rows[0].source})"
    ]


def _is_known(reference: str | float, reader: AnswerReader) -> bool:
    try:
        reader.normal(reference)
    except ValueError:
        return False
    return True
