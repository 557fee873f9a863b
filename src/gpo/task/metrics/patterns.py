"""Targets that are regular expressions. Needs the package `regex`, which can be told to give up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from gpo.errors import ConfigError
from gpo.extras import install
from gpo.task.answer.reader import Answer
from gpo.task.example import Example
from gpo.task.metrics.texts import as_text

SECONDS = 0.5
"""Patterns and replies are other people's: one that has not ended by then would never end."""


def pattern_found(prediction: Answer, targets: Sequence[Answer], example: Example) -> float:
    """1 where one of the row's patterns is found in the answer (`^` and `$` stand for its ends), else 0.

    Raises `ConfigError` naming the row where a pattern is none or takes too long, and where `regex` is missing."""
    text = as_text(prediction)
    patterns = example.target if isinstance(example.target, tuple) else (example.target,)
    return float(any(_finds(str(pattern), text, example) for pattern in patterns))


def check_pattern(pattern: str) -> str:
    """Why `pattern` is no regular expression; "" where it is one. Raises `ConfigError` where `regex` is missing."""
    try:
        _compiled(pattern)
    except ValueError as error:
        return str(error)
    return ""


def _finds(pattern: str, text: str, example: Example) -> bool:
    try:
        return _compiled(pattern).search(text, timeout=SECONDS) is not None
    except ValueError as error:
        raise ConfigError(
            f"task.metric: regex: the target of example {example.id} is no pattern: {error}"
        ) from None
    except TimeoutError:
        raise ConfigError(
            f"task.metric: regex: the pattern of example {example.id} takes more than {SECONDS} s on one answer; "
            "write it without repetitions inside repetitions"
        ) from None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Any:
    try:
        import regex
    except ImportError:
        raise ConfigError(f"task.metric: regex needs the extra metrics: {install('metrics')}") from None
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        raise ValueError(" ".join(str(error).split())[:200]) from None
