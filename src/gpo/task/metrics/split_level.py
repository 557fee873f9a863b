"""Metrics of a whole split: what rows add up to is scored, and not the mean of what rows score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from gpo.task.answer import Answer, Prediction

Counts = Mapping[str, float]
"""What one row, or several, add to a score, by name."""


class SplitMetric(Protocol):
    """A metric that is computed from sums over rows."""

    def counts(self, prediction: Prediction, targets: Sequence[Answer]) -> Counts:
        """What a row adds; the answer is None where it could not be read."""

    def score(self, totals: Counts) -> float:
        """The value in 0..1 of rows that add up to `totals`."""


def add_up(rows: Iterable[Counts]) -> Counts:
    """The sums over `rows`."""
    totals: Counter[str] = Counter()
    for row in rows:
        for name, value in row.items():
            totals[name] += value  # type: ignore[assignment]
    return totals
