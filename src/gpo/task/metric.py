"""Metrics: how good a prediction is, from 0 to 1."""

from __future__ import annotations

import importlib
import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpo.errors import ConfigError
from gpo.task.answer.reader import Answer
from gpo.task.example import Example
from gpo.task.metrics.own import OwnMetric
from gpo.task.rouge import rouge_l

TOLERANCE = 1e-6
"""Two numbers within this distance (relative for large ones) are the same answer."""

# Not between digits, where a dot or a comma is part of a number.
_PUNCTUATION = re.compile(r"(?<!\d)[.,;:!?\"'`“”‘’]|[.,;:!?\"'`“”‘’](?!\d)")

MetricFunction = Callable[[Answer, Sequence[Answer], Example], float]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric by name. `binary` says that every value is 0 or 1, so that tests on counts of right answers apply. `own`
    is what is called in place of `function` where many answers are graded at once, and may say more than a value."""

    name: str
    binary: bool
    function: MetricFunction
    own: OwnMetric | None = None

    def __call__(self, prediction: Answer, targets: Sequence[Answer], example: Example) -> float:
        """The value in 0..1 of `prediction` against the best of `targets`, both in the form of the answer's reader.

        Raises `ConfigError` where an own metric fails or leaves the range.
        """
        return self.function(prediction, targets, example)


def metric(chosen: str | Metric | Callable[..., Any], *, base_dir: Path | None = None) -> Metric:
    """The metric called `chosen`: exact_match, accuracy, rouge_l, "package.module:function", or an own callable.

    For what an own metric takes and returns see `OwnMetric`. Its attribute `binary` may say that it returns nothing but
    0 and 1. `base_dir` is searched for the module first.
    """
    if isinstance(chosen, Metric):
        return chosen
    if callable(chosen):
        return _own(chosen, getattr(chosen, "__qualname__", type(chosen).__name__))
    if chosen in ("exact_match", "accuracy"):
        return Metric(chosen, binary=True, function=_matches)
    if chosen == "rouge_l":
        return Metric(chosen, binary=False, function=_rouge_l)
    if ":" in chosen:
        return _own(_imported(chosen, base_dir), chosen)
    raise ConfigError(
        f"task.metric: {chosen!r} is not known; use exact_match, accuracy, rouge_l or package.module:function"
    )


def normalised(text: str) -> str:
    """`text` as exact match compares it: case folded, punctuation dropped, spaces collapsed, articles kept.

    Brackets and operators stay (they can be the answer), and so does punctuation where nothing else is.
    """
    spaced = " ".join(text.split()).casefold()
    return " ".join(_PUNCTUATION.sub("", spaced).split()) or spaced


def as_text(answer: Answer) -> str:
    """An answer as text: a whole number without a decimal point, words separated by spaces."""
    if isinstance(answer, tuple):
        return " ".join(answer)
    if isinstance(answer, str):
        return answer
    return str(int(answer)) if math.isfinite(answer) and answer == int(answer) else repr(float(answer))


def equal(prediction: Answer, target: Answer) -> bool:
    """Whether two answers are the same, numbers within `TOLERANCE`."""
    if isinstance(prediction, int | float) and isinstance(target, int | float):
        return math.isclose(prediction, target, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return normalised(as_text(prediction)) == normalised(as_text(target))


def _matches(prediction: Answer, targets: Sequence[Answer], example: Example) -> float:
    return float(any(equal(prediction, target) for target in targets))


def _rouge_l(prediction: Answer, targets: Sequence[Answer], example: Example) -> float:
    found = as_text(prediction)
    return max((rouge_l(found, as_text(target)) for target in targets), default=0.0)


def _own(function: Callable[..., Any], name: str) -> Metric:
    own = OwnMetric(function, name)

    def value(prediction: Answer, targets: Sequence[Answer], example: Example) -> float:
        return own.wait(as_text(prediction), example).value

    return Metric(name, binary=bool(getattr(function, "binary", False)), function=value, own=own)


def _imported(path: str, base_dir: Path | None) -> Callable[..., Any]:
    module_name, _, attribute = path.partition(":")
    # A metric beside the configuration file is found without installing it.
    extra = str(base_dir.resolve()) if base_dir is not None else str(Path.cwd())
    sys.path.insert(0, extra)
    try:
        found: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:
        problem = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise ConfigError(f"task.metric: {path} cannot be imported ({problem})") from error
    finally:
        if extra in sys.path:
            sys.path.remove(extra)
    if not callable(found):
        raise ConfigError(f"task.metric: {path} is not a function")
    return found  # type: ignore[no-any-return]
