"""Numbers that are near enough."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from gpo.errors import ConfigError
from gpo.task.answer.reader import Answer
from gpo.task.example import Example

_FORM = re.compile(
    r"within (?P<first>\d+(?:\.\d+)?(?:e-?\d+)?)(?P<share>%?)(?: or (?P<percent>\d+(?:\.\d+)?(?:e-?\d+)?)%)?"
)


def within(name: str) -> Callable[[Answer, Sequence[Answer], Example], float]:
    """The metric called "within 0.5", "within 2%" or "within 0.5 or 2%": 1 where an answer is that near to a target,
    absolutely or by a share of the target, at the bound too. Raises `ConfigError` where `name` is none of these."""
    match = _FORM.fullmatch(name.strip())
    if match is None or (match["share"] and match["percent"]):
        raise ConfigError(
            f'task.metric: {name!r} is not a tolerance; write "within 0.5", "within 2%" or "within 0.5 or 2%"'
        )
    first = float(match["first"])
    absolute = 0.0 if match["share"] else first
    share = first / 100 if match["share"] else float(match["percent"] or 0) / 100

    def near(prediction: Answer, targets: Sequence[Answer], example: Example) -> float:
        found = _number(prediction)
        # A last digit lost to binary fractions does not put 0.3 out of 0.1's reach of 0.2.
        return float(
            any(
                (target := _number(answer)) is not None
                and found is not None
                and abs(found - target)
                <= max(absolute, share * abs(target)) + 1e-9 * max(abs(target), abs(found))
                for answer in targets
            )
        )

    return near


def _number(answer: Answer) -> float | None:
    try:
        number = float(answer)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
