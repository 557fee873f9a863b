"""How a task reads and scores replies, as JSON values: enough to judge a reply where the task is not at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from gpo.errors import ConfigError
from gpo.task.answer.choice import ChoiceReader
from gpo.task.answer.factory import AnswerKind, answer_reader
from gpo.task.answer.label import BooleanReader, LabelReader
from gpo.task.answer.number import NumberReader
from gpo.task.answer.reader import AnswerReader
from gpo.task.answer.text import TextReader
from gpo.task.answer.words import WordsReader
from gpo.task.example import Example, Splits
from gpo.task.files.cell import read_value
from gpo.task.metric import metric as named_metric
from gpo.task.splits import render_cell
from gpo.task.task import Task

_KINDS: dict[type[AnswerReader], AnswerKind] = {
    LabelReader: "label",
    BooleanReader: "boolean",
    ChoiceReader: "choice",
    NumberReader: "number",
    WordsReader: "words",
    TextReader: "text",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer's `kind` ("" for a reader of the user's own), the `labels` (or the two words of yes and no) that it is
    looked for among, and the `metric`."""

    kind: str
    labels: tuple[str, ...] = ()
    metric: str = "exact_match"

    def score(self, reply: str, target: Any, question: str = "", *, cut: bool = False) -> float:
        """The value of `reply` in 0..1 by the expected answer `target`, a list where there are several references.
        `question` is what was asked (a choice is read by it), `cut` says that the reply ended at its length.

        Raises `ConfigError` for a reader of the user's own.
        """
        if self.kind not in get_args(AnswerKind):
            raise ConfigError("answers are read by a function of your own, which a file cannot hold")
        reader = answer_reader(self.kind, labels=self.labels, targets=self.labels)  # type: ignore[arg-type]
        expected = tuple(target) if isinstance(target, list) else target
        task = Task(name="task", splits=Splits((), (), ()), answer=reader, metric=named_metric(self.metric))
        return task.judge(reply, Example("reply", question, expected), cut=cut).value

    def text(self, value: Any) -> str:
        """A cell of a row as the task puts it into a prompt: the options of a choice get letters."""
        return render_cell(read_value(value), lettered=self.kind == "choice")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as in `result.json`."""
        return {"kind": self.kind, "labels": list(self.labels), "metric": self.metric}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reading:
        """The inverse of `to_dict`. Raises `ValueError`."""
        kind, labels, metric = data.get("kind"), data.get("labels", ()), data.get("metric", "exact_match")
        if not isinstance(kind, str) or not isinstance(metric, str) or not _texts(labels):
            raise ValueError("says nothing of how answers are read")
        return cls(kind, tuple(labels), metric)


def describe_reading(task: Task) -> Reading:
    """How `task` reads and scores."""
    reader = task.answer
    labels: tuple[str, ...] = ()
    if isinstance(reader, LabelReader):
        labels = tuple(reader.labels)
    elif isinstance(reader, BooleanReader):
        labels = tuple(reader.words)
    return Reading(_KINDS.get(type(reader), ""), labels, task.metric.name)


def _texts(values: Any) -> bool:
    return (
        isinstance(values, Sequence)
        and not isinstance(values, str)
        and all(isinstance(v, str) for v in values)
    )
