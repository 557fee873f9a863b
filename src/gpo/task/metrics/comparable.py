"""Brings a reply's answer and the expected answers into one form: what a metric compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gpo.task.answer import Answer, AnswerReader, Prediction, read_reply
from gpo.task.answer.structured.json_reader import JsonReader
from gpo.task.example import Example
from gpo.task.metrics.texts import as_text, is_same_text


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was read from a reply (None: unreadable) and its value in 0..1. A call that failed has no judgement."""

    prediction: Prediction
    value: float


def find_answer(
    reader: AnswerReader, reply: str, example: Example, *, cut: bool = False
) -> tuple[Prediction, list[Answer]]:
    """What `reply` answers (None: unreadable), and what is expected. `cut` says that the reply ended at its length."""
    targets = read_targets(reader, example)
    prediction = _find_verbatim(reader, reply, _references(example), targets)
    if prediction is None:
        prediction = read_reply(reader, reply, example.input, cut=cut)
    return prediction, targets


def read_targets(reader: AnswerReader, example: Example) -> list[Answer]:
    """The expected answers in the form in which `reader` reads an answer."""
    return [_read_target(reader, reference, example) for reference in _references(example)]


def _references(example: Example) -> tuple[str | float, ...]:
    return example.target if isinstance(example.target, tuple) else (example.target,)


def _read_target(reader: AnswerReader, reference: str | float, example: Example) -> Answer:
    try:
        return reader.normal(reference, example.input)
    except (
        ValueError
    ):  # a label that only the test split has: it is right word for word, see `_find_verbatim`
        return as_text(reference)


def _find_verbatim(
    reader: AnswerReader, reply: str, references: Sequence[str | float], targets: Sequence[Answer]
) -> Prediction:
    # The data's own answer word for word is right even where its kind cannot read it (a faulty benchmark item).
    if isinstance(reader, JsonReader):  # whose punctuation matters
        return None
    for reference, target in zip(references, targets, strict=True):
        if is_same_text(reply, as_text(reference)):
            return target
    return None
