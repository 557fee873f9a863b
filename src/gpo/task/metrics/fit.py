"""Whether a metric fits the answers that it is to grade."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gpo.errors import ConfigError, DataError
from gpo.task.example import Example
from gpo.task.metrics.patterns import check_pattern

if TYPE_CHECKING:
    from gpo.config.task import TaskConfig

CLASSES = ("label", "boolean", "choice")


def name_metric(config: TaskConfig) -> str:
    """The metric that `config` names, or that of its answer kind where it names none."""
    by_kind = config.answer.kind == "json" and "metric" not in config.model_fields_set
    return "fields" if by_kind else config.metric


def check_metric(name: str, kind: str, examples: Iterable[Example], *, own: bool = False) -> None:
    """Check the metric `name` (an `own` one or GPO's) for answers of `kind` ("" for a reader of the user's own). Raises
    `ConfigError` where it is for others, and `DataError` naming the row of a target that is no pattern."""
    if name == "f1" and kind and kind not in CLASSES:
        raise ConfigError(
            f"task.metric: f1 is for answers that are classes, and task.answer.kind is {kind}; "
            f"write {', '.join(CLASSES)}, or another metric"
        )
    if name.startswith("within ") and kind and kind != "number":
        raise ConfigError(f"task.metric: {name} is for numbers, and task.answer.kind is {kind}; write number")
    if (name == "fields") != (kind == "json") and kind and not own and name != "judge":
        raise ConfigError(
            "task.metric: JSON is compared by its fields; leave task.metric out"
            if kind == "json"
            else f"task.metric: fields is for JSON, and task.answer.kind is {kind}; write json"
        )
    if name == "regex":
        for example in examples:
            patterns = example.target if isinstance(example.target, tuple) else (example.target,)
            for pattern in patterns:
                if problem := check_pattern(str(pattern)):
                    raise DataError(f"{example.source}: the target is no regular expression: {problem}")
