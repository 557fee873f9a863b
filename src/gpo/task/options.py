"""What Python passes to make a task: the keys of the configuration's `task` section, and objects in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from gpo.errors import FOREIGN, ConfigError
from gpo.task.answer import AnswerReader, Prediction
from gpo.task.answer.label import quote
from gpo.task.answer.text import TextReader
from gpo.task.metric import Metric
from gpo.task.prompt import Frame, Position

if TYPE_CHECKING:
    from gpo.config.task import TaskConfig

AnswerOption = str | Mapping[str, Any] | AnswerReader | Callable[[str], str | None]
MetricOption = str | Metric | Callable[..., Any]
Rows = Iterable[Mapping[str, Any]] | Mapping[str, Iterable[Mapping[str, Any]]]


class TaskOptions(TypedDict, total=False):
    """What `Task.from_rows` and its like take: the keys of the configuration's `task` section, `seed` and `chat`.

    `answer` is a kind, a mapping such as {"kind": "label", "labels": [...]}, an own `AnswerReader`, or a function from
    a reply to the answer as text (None: unreadable); `metric` may be a function (see `gpo.task.metric.metric`).
    """

    split: Mapping[str, int | float] | None
    stratify: bool | None
    input: str
    target: str
    answer: AnswerOption
    metric: MetricOption
    judge: Mapping[str, Any] | None
    position: Position
    frame: Frame | None
    demonstrations: int
    allow_overlap: bool
    seed: int
    chat: bool


class ProgramOptions(TypedDict, total=False):
    """What `Task.from_program` takes beside rows, function and name."""

    metric: MetricOption
    input: str
    target: str
    answer: AnswerOption
    judge: Mapping[str, Any] | None
    split: Mapping[str, int | float] | None
    stratify: bool | None
    allow_overlap: bool
    identity: str | None
    concurrency: int
    seed: int
    chat: bool


PROGRAM_OPTIONS = tuple(ProgramOptions.__annotations__)
"""Their names: where a program's prompts stand is its own business."""


class CallableReader(TextReader):
    """An own function from a reply to the answer as text, None where the reply is unreadable."""

    def __init__(self, function: Callable[[str], str | None]) -> None:
        self._function = function
        self.name = getattr(function, "__qualname__", type(function).__name__)

    def read(self, text: str, question: str = "") -> Prediction:
        """Raises `ConfigError` where the function fails or returns something else."""
        try:
            found: Any = self._function(text)
        except FOREIGN as error:
            problem = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise ConfigError(
                f"task.answer: {self.name} failed on the reply {quote(text)}: {problem}"
            ) from error
        if found is None or isinstance(found, str | int | float | tuple):
            return found
        raise ConfigError(
            f"task.answer: {self.name} returned {type(found).__name__} for the reply {quote(text)}; return the answer "
            "as text, or None where there is none"
        )


@dataclass(frozen=True, slots=True)
class Own:
    """Objects that Python passes in place of configuration keys."""

    reader: AnswerReader | None = None
    metric: MetricOption | None = None


def configure(data: Any, options: Mapping[str, Any]) -> tuple[TaskConfig, Own]:
    """The configuration of `options` for `data`, and what of them are objects. Raises `ConfigError` naming the key."""
    from pydantic import ValidationError

    from gpo.config.task import TaskConfig

    keys = {**options, "data": data}
    own_metric = keys.pop("metric") if "metric" in keys and not isinstance(keys["metric"], str) else None
    own_reader: AnswerReader | None = None
    answer: AnswerOption | None = keys.get("answer")
    if isinstance(answer, str):
        keys["answer"] = {"kind": answer}
    elif answer is not None and not isinstance(answer, Mapping) and not hasattr(answer, "model_fields_set"):
        del keys["answer"]
        own_reader = _own_reader(answer)
    try:
        return TaskConfig.model_validate(keys), Own(own_reader, own_metric)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            from gpo.config.keywords import point_to

            known = sorted({*TaskConfig.model_fields, "seed", "chat"} - {"data"})
            raise ConfigError(point_to(key, "gpo.Task.from_rows", known)) from None
        raise ConfigError(f"task.{key}: {first['msg']}") from None


def _own_reader(answer: Any) -> AnswerReader:
    if isinstance(answer, AnswerReader):
        return answer
    if callable(answer):
        return CallableReader(answer)
    raise ConfigError(
        "answer: must be a kind, a mapping, an AnswerReader, or a function from a reply to the answer"
    )
