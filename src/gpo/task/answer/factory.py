"""Makes the reader of a configured answer kind. A vocabulary is taken from the targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

from gpo.errors import ConfigError
from gpo.task.answer.choice import ChoiceReader
from gpo.task.answer.label import BooleanReader, LabelReader
from gpo.task.answer.number import NumberReader
from gpo.task.answer.reader import AnswerReader
from gpo.task.answer.structured.json_reader import JsonReader
from gpo.task.answer.structured.schema import find_fault
from gpo.task.answer.text import TextReader
from gpo.task.answer.words import WordsReader

AnswerKind = Literal["label", "choice", "number", "boolean", "words", "text", "json"]
_MOST_LABELS = 200


def answer_reader(
    kind: AnswerKind,
    *,
    labels: Sequence[str] = (),
    targets: Iterable[str | float] = (),
    schema: Mapping[str, Any] | None = None,
) -> AnswerReader:
    """The reader of `kind`. `targets` are the data's expected answers: labels that are not given and the words for
    yes and no come from them; `schema` is what JSON has to fit. Raises `ConfigError` for an unknown kind, for labels
    that cannot be told apart and for a schema that cannot be read."""
    if schema is not None and kind != "json":
        raise ConfigError(f"task.answer.schema: is for kind: json, and task.answer.kind is {kind}")
    if kind == "json":
        if schema is not None and (fault := find_fault(schema)):
            raise ConfigError(f"task.answer.schema: {fault}")
        return JsonReader(schema)
    if kind == "label":
        return _labels(labels, targets)
    if kind == "boolean":
        return BooleanReader(targets)
    simple: dict[str, type[ChoiceReader | NumberReader | WordsReader | TextReader]] = {
        "choice": ChoiceReader,
        "number": NumberReader,
        "words": WordsReader,
        "text": TextReader,
    }
    if kind not in simple:
        raise ConfigError(f"task.answer.kind: {kind!r} is not one of {', '.join(get_args(AnswerKind))}")
    return simple[kind]()


def name_reader(reader: AnswerReader) -> str:
    """How a person calls `reader`: "answer.kind: label", or the name of an own one."""
    kinds: dict[type, AnswerKind] = {
        LabelReader: "label",
        ChoiceReader: "choice",
        NumberReader: "number",
        BooleanReader: "boolean",
        WordsReader: "words",
        TextReader: "text",
        JsonReader: "json",
    }
    kind = kinds.get(type(reader))
    return f"answer.kind: {kind}" if kind else str(getattr(reader, "name", type(reader).__qualname__))


def _labels(labels: Sequence[str], targets: Iterable[str | float]) -> LabelReader:
    given = list(dict.fromkeys(label.strip() for label in labels))
    if "" in given:
        raise ConfigError("task.answer.labels: a label is empty")
    found = given or sorted({str(target).strip() for target in targets} - {""})
    if not found:
        raise ConfigError(
            "task.answer.labels: no labels are given and the data has no targets to take them from"
        )
    if not given and len(found) > _MOST_LABELS:
        raise ConfigError(
            f"task.answer.kind: label, but the targets hold {len(found)} different texts; list task.answer.labels, "
            "or use kind: text"
        )
    return LabelReader(found)
