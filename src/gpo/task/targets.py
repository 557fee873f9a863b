"""What the rows' expected answers say of a task: its reader, and targets that no reply could be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpo.errors import DataError
from gpo.task.answer import Answer, AnswerReader, answer_reader
from gpo.task.answer.label import quote
from gpo.task.example import Example
from gpo.task.labels import list_references

if TYPE_CHECKING:
    from gpo.config.task import AnswerConfig


def make_reader(config: AnswerConfig, found: Sequence[Example]) -> AnswerReader:
    """The reader of the kind that `config` names, with the labels that it lists or that `found` has."""
    targets = [reference for example in found for reference in list_references(example.target)]
    return answer_reader(config.kind, labels=config.labels, targets=targets, schema=config.schema_)


def check_targets(found: Sequence[Example], reader: AnswerReader, kind: str) -> list[str]:
    """Warnings about odd targets. Raises `DataError` naming the row of a target that the answer kind cannot
    be."""
    warnings = []
    for example in found:
        for reference in list_references(example.target):
            try:
                answer: Answer = reader.normal(reference, example.input)
            except ValueError as error:
                raise DataError(f"{example.source}: the target {error}") from None
            if kind == "choice" and len(str(answer)) > 1:
                warnings.append(
                    f"{example.source}: the target {quote(str(answer))} is none of the options; only a reply that "
                    "gives it word for word counts"
                )
    return warnings
