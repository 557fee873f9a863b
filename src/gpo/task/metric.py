"""Metrics: how good a prediction is, from 0 to 1."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpo.errors import FOREIGN, ConfigError
from gpo.task.answer.reader import Answer
from gpo.task.example import Example
from gpo.task.metrics.fields import share_of_fields
from gpo.task.metrics.judge import Judge
from gpo.task.metrics.macro_f1 import MacroF1
from gpo.task.metrics.numeric import within
from gpo.task.metrics.own import OwnMetric
from gpo.task.metrics.patterns import pattern_found
from gpo.task.metrics.rouge import rouge_l
from gpo.task.metrics.split_level import SplitMetric
from gpo.task.metrics.texts import as_text, equal
from gpo.task.metrics.translation import Bleu, chrf, require_sacrebleu

NAMES = "exact_match, accuracy, f1, within NUMBER, regex, rouge_l, bleu, chrf, fields, judge"
SPLIT_LEVEL = ("f1", "bleu")
"""Those of the whole split."""
MetricFunction = Callable[[Answer, Sequence[Answer], Example], float]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric by name. `binary` says that every value is 0 or 1, so that tests on counts of right answers apply. `own`
    is what is called in place of `function` where many answers are graded at once, and may say more than a value.
    Where there is `over_split`, it is the score of a split, and `function` tells only which rows went well. Where there
    is a `judge`, a model is asked, and `function` cannot say anything."""

    name: str
    binary: bool
    function: MetricFunction
    own: OwnMetric | None = None
    over_split: SplitMetric | None = None
    judge: Judge | None = None

    def __call__(self, prediction: Answer, targets: Sequence[Answer], example: Example) -> float:
        """The value in 0..1 of `prediction` against the best of `targets`, both in the form of the answer's reader.

        Raises `ConfigError` where an own metric fails or leaves the range.
        """
        return self.function(prediction, targets, example)


def metric(
    chosen: str | Metric | Callable[..., Any], *, base_dir: Path | None = None, judge: Judge | None = None
) -> Metric:
    """The metric called `chosen` (docs/metrics.md), "package.module:function", or an own callable.

    For what an own metric takes and returns see `OwnMetric`. Its attribute `binary` may say that it returns nothing but
    0 and 1. `base_dir` is searched for the module first. `judge` is what the metric of that name grades by.
    """
    if isinstance(chosen, Metric):
        return chosen
    if callable(chosen):
        return call_own(OwnMetric(chosen, getattr(chosen, "__qualname__", type(chosen).__name__)))
    if chosen in ("exact_match", "accuracy"):
        return Metric(chosen, binary=True, function=_matches)
    if chosen == "rouge_l":
        return Metric(chosen, binary=False, function=_rouge_l)
    if chosen == "f1":
        return Metric(chosen, binary=False, function=_matches, over_split=MacroF1())
    if chosen == "fields":
        return Metric(chosen, binary=False, function=share_of_fields)
    if chosen == "regex":
        return Metric(chosen, binary=True, function=pattern_found)
    if chosen in ("bleu", "chrf"):
        require_sacrebleu(chosen)
        bleu = Bleu()
        function = bleu.of_row if chosen == "bleu" else chrf
        return Metric(chosen, binary=False, function=function, over_split=bleu if chosen == "bleu" else None)
    if chosen == "judge":
        return _judged(judge)
    if chosen.startswith("within "):
        return Metric(chosen, binary=True, function=within(chosen))
    if ":" in chosen:
        return call_own(OwnMetric(imported(chosen, base_dir), chosen))
    raise ConfigError(f"task.metric: {chosen!r} is not known; use {NAMES} or package.module:function")


def is_named(name: str) -> bool:
    """Whether `metric` knows a metric by `name`, a function by its module and name included."""
    return name in NAMES.split(", ") or ":" in name or name.startswith("within ")


def _matches(prediction: Answer, targets: Sequence[Answer], example: Example) -> float:
    return float(any(equal(prediction, target) for target in targets))


def _judged(judge: Judge | None) -> Metric:
    if judge is None:
        raise ConfigError("task.judge: is missing; the metric judge needs a rubric there")
    return Metric("judge", binary=False, function=_ask_nobody, judge=judge)


def _ask_nobody(prediction: Answer, targets: Sequence[Answer], example: Example) -> float:
    raise ConfigError(
        "task.metric: judge asks a model, which is there in gpo.optimize and gpo.evaluate alone"
    )


def _rouge_l(prediction: Answer, targets: Sequence[Answer], example: Example) -> float:
    found = as_text(prediction)
    return max((rouge_l(found, as_text(target)) for target in targets), default=0.0)


def call_own(own: OwnMetric, shown: Callable[[Any], Any] = as_text) -> Metric:
    """The metric that calls `own` with what `shown` makes of a prediction."""

    def value(prediction: Any, targets: Sequence[Any], example: Example) -> float:
        return own.wait(shown(prediction), example).value

    binary = bool(getattr(own.function, "binary", False))
    return Metric(own.name, binary=binary, function=value, own=own)


def imported(path: str, base_dir: Path | None, key: str = "task.metric") -> Callable[..., Any]:
    """What "package.module:function" names, looked for in `base_dir` first. Raises `ConfigError` naming `key`."""
    module_name, _, attribute = path.partition(":")
    # A metric beside the configuration file is found without installing it.
    extra = str(base_dir.resolve()) if base_dir is not None else str(Path.cwd())
    sys.path.insert(0, extra)
    try:
        found: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except FOREIGN as error:
        problem = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise ConfigError(f"{key}: {path} cannot be imported ({problem})") from error
    finally:
        if extra in sys.path:
            sys.path.remove(extra)
    if not callable(found):
        raise ConfigError(f"{key}: {path} is not a function")
    return found  # type: ignore[no-any-return]
