"""The one place that says whether a prompt is better. Every screen, file and table asks it."""

from __future__ import annotations

from enum import StrEnum

SIGNIFICANCE = 0.05
"""p must be below it. The interval's 95 % are its counterpart."""


class Verdict(StrEnum):
    """What a held-out test says of the best prompt beside the initial one."""

    BETTER = "better"
    WORSE = "worse"
    NOT_SHOWN = "not shown"
    NO_TEST = "no test"
    UNCHANGED = "unchanged"
    """There is one prompt only: the best is the initial one."""


def decide(
    gain: float | None,
    low: float | None,
    high: float | None,
    p_value: float | None,
    *,
    unchanged: bool = False,
) -> Verdict:
    """Better (worse) needs both: a 95 % interval `low` to `high` of the `gain` wholly above (below) 0, and p < 0.05.

    Either alone is said too early in some corner: an interval over few rows may be too short, and a test has no size of
    the gain. None is a number that is not known; without the test's three first there was no test.
    """
    if unchanged:
        return Verdict.UNCHANGED
    if gain is None or low is None or high is None:
        return Verdict.NO_TEST
    if p_value is not None and p_value < SIGNIFICANCE:
        if low > 0:
            return Verdict.BETTER
        if high < 0:
            return Verdict.WORSE
    return Verdict.NOT_SHOWN
