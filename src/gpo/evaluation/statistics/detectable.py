"""How small a gain a test split can show at all."""

from __future__ import annotations

from functools import cache

from gpo.evaluation.statistics.comparison import Comparison, compare_counts
from gpo.evaluation.statistics.verdict import Verdict

FEW_ROWS = 30
"""Below that many test rows a result warns."""


def detectable_gain(found: Comparison) -> float | None:
    """The smallest gain (0 to 1) that the rows of a comparison could have shown; None where they can show none.

    For 0/1 scores it is that of the fewest gained rows, none lost, which `decide` calls better (6 of them, as
    2 · ½⁵ = 0.0625 is not below 0.05 and 2 · ½⁶ is). For graded scores it is how far the interval reaches below the
    mean: a gain of less, with as much spread, would have been within noise.
    """
    least = fewest_gained(found.rows)
    if least is None:
        return None
    return found.mean - found.low if found.graded else least / found.rows


@cache
def fewest_gained(rows: int) -> int | None:
    """How many of `rows` 0/1 scores must rise, and none fall, for the verdict better; None where all are too few."""
    for gained in range(1, min(rows, 100) + 1):
        if compare_counts(gained, 0, rows).verdict is Verdict.BETTER:
            return gained
    return None


def few_rows_warning(rows: int | None, detectable: float | None) -> str:
    """One line for a person about a test of under `FEW_ROWS` rows, "" where there is nothing to warn of."""
    if rows is None or rows >= FEW_ROWS:
        return ""
    only = f"only {rows} test row{'' if rows == 1 else 's'} could be compared"
    if detectable is None:
        return f"{only}: so few can show no gain, however large (gpo power says how many rows it takes)"
    return (
        f"{only}: a gain below {100 * detectable:.1f} points cannot be told from chance on so few "
        "(gpo power says how many rows it takes)"
    )
