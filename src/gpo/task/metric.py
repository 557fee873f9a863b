"""Metrics: how good a prediction is, in 0..1. Knows predictions and targets, and neither prompts nor models."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from gpo.errors import ConfigError, DataError
from gpo.task.answer import Prediction
from gpo.task.example import Example


class Metric(Protocol):
    """Scores one prediction. `binary` says that every value is 0 or 1."""

    @property
    def binary(self) -> bool:
        """True where every value is 0 or 1."""

    def score(self, prediction: Prediction, expected: Prediction, example: Example) -> float:
        """The value in 0..1; `prediction` was read, `expected` is the target in the same form."""


@dataclass(frozen=True, slots=True)
class ExactMatch:
    """1 where the prediction equals the target: numbers to one part in a million, texts by their words whatever the
    case, punctuation and white space. Of several references one must match."""

    binary: bool = True

    def score(self, prediction: Prediction, expected: Prediction, example: Example) -> float:
        """0.0 or 1.0."""
        if isinstance(prediction, float) or isinstance(expected, float):
            return float(_same_number(prediction, expected))
        if isinstance(prediction, tuple):
            return float(prediction == expected)
        references = expected if isinstance(expected, tuple) else (str(expected),)
        return float(any(_words(str(prediction)) == _words(reference) for reference in references))


@dataclass(frozen=True, slots=True)
class RougeL:
    """ROUGE-L F-measure of the longest common subsequence of words, best over the references (C.-Y. Lin, 2004).

    Words are runs of ASCII letters and digits in lower case, without stemming, as the `rouge-score` package has them.
    """

    binary: bool = False

    def score(self, prediction: Prediction, expected: Prediction, example: Example) -> float:
        """The best F-measure in 0..1."""
        text = " ".join(prediction) if isinstance(prediction, tuple) else str(prediction)
        references = expected if isinstance(expected, tuple) else (str(expected),)
        return max(rouge_l(text, reference) for reference in references)


@dataclass(frozen=True, slots=True)
class OwnMetric:
    """A user's function: `f(prediction, target)`, or `f(prediction, example)` where its second parameter is called
    `example`. Its value must be a number in 0..1."""

    function: Callable[..., Any]
    name: str
    binary: bool = False

    def score(self, prediction: Prediction, expected: Prediction, example: Example) -> float:
        """The function's value. Raises `DataError` naming the metric and the row where it fails or leaves 0..1."""
        try:
            value = self.function(prediction, example if self._wants_example() else example.target)
            number = float(value)
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise DataError(f"metric {self.name} failed on {example.source or example.id}: {reason}") from error
        if not 0 <= number <= 1:
            raise DataError(
                f"metric {self.name} gave {number:g} for {example.source or example.id}; it must be in 0..1"
            )
        return number

    def _wants_example(self) -> bool:
        names = list(inspect.signature(self.function).parameters)
        return len(names) > 1 and names[1] == "example"


def rouge_l(prediction: str, reference: str) -> float:
    """ROUGE-L F-measure (β = 1) of two texts, 0 where they share no word."""
    from rapidfuzz.distance import LCSseq

    ours, theirs = _tokens(prediction), _tokens(reference)
    if not ours or not theirs:
        return 0.0
    common = LCSseq.similarity(ours, theirs)
    if not common:
        return 0.0
    precision, recall = common / len(ours), common / len(theirs)
    return 2 * precision * recall / (precision + recall)


def open_metric(metric: str | Callable[..., Any]) -> Metric:
    """The metric behind a name of the configuration, a "package.module:function", or a function.

    Raises `ConfigError` naming `task.metric`.
    """
    if callable(metric):
        return OwnMetric(metric, getattr(metric, "__qualname__", type(metric).__qualname__))
    if metric in ("exact_match", "accuracy"):
        return ExactMatch()
    if metric == "rouge_l":
        return RougeL()
    module, colon, name = metric.partition(":")
    if not colon:
        raise ConfigError(
            f"task.metric: there is no {metric!r}; write exact_match, accuracy, rouge_l or package.module:function"
        )
    try:
        function = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise ConfigError(f"task.metric: {module} cannot be imported ({error})") from None
    except AttributeError:
        raise ConfigError(f"task.metric: {module} has no {name}") from None
    if not callable(function):
        raise ConfigError(f"task.metric: {metric} is not a function")
    return OwnMetric(function, metric)


def _same_number(a: Prediction, b: Prediction) -> bool:
    if not isinstance(a, int | float) or not isinstance(b, int | float):
        return False
    return abs(a - b) <= 1e-6 * max(1.0, abs(a), abs(b))


def _words(text: str) -> list[str]:
    # What is left when a text is nothing but signs is the text itself: "+" is not "-".
    return re.findall(r"\w+", text.casefold()) or text.split()


def _tokens(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())
