"""Comparing two prompts' scores over the rows that both have, by whatever makes up their score."""

from __future__ import annotations

from collections.abc import Sequence

from gpo.evaluation.outcome import Score
from gpo.evaluation.statistics import (
    Comparison,
    Interval,
    compare,
    compare_split_level,
    split_interval,
    wilson,
)


def both_scored(before: Score, after: Score) -> list[int]:
    """The indices of the examples that both have a value of."""
    known = after.by_row()
    return [row for row, value in before.by_row().items() if value is not None and known.get(row) is not None]


def compare_scores(before: Score, after: Score, rows: Sequence[int], *, seed: int) -> Comparison:
    """Compare over the examples at the indices `rows`: row by row, or by what they add up to where the metric is one of
    the whole split. Raises `ValueError` where there is no row."""
    if before.split_level is not None and after.split_level is not None:
        score = before.split_level.metric.score
        return compare_split_level(before.counts_of(rows), after.counts_of(rows), score, seed=seed)
    one, other = before.by_row(), after.by_row()
    return compare([one[row] or 0.0 for row in rows], [other[row] or 0.0 for row in rows], seed=seed)


def score_interval(score: Score, *, seed: int) -> Interval:
    """A score with its 95 % interval: Wilson's of a mean, a bootstrap's of a metric of the whole split. Raises
    `ValueError` where no example was scored."""
    rows = [row for row, value in score.by_row().items() if value is not None]
    if score.split_level is not None:
        return split_interval(score.counts_of(rows), score.split_level.metric.score, seed=seed)
    values = score.by_row()
    return wilson([values[row] or 0.0 for row in rows])
