"""A mean with its confidence interval, and Wilson's interval for the score of one prompt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its confidence interval, all in the unit of the values."""

    mean: float
    low: float
    high: float


def wilson(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Wilson's score interval for the mean of `values` in 0..1 (exact in form for 0/1 values; for graded metrics
    it is wider than needed, since 0/1 values have the largest variance of all with that mean).

    E. B. Wilson, Probable inference, 1927. Raises `ValueError` where `values` is empty.
    """
    n = len(values)
    if n == 0:
        raise ValueError("an interval needs at least one value")
    mean = sum(values) / n
    z = normal_quantile(0.5 + confidence / 2)
    centre = (mean + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(mean * (1 - mean) / n + z * z / (4 * n * n))
    return Interval(mean, max(0.0, centre - half), min(1.0, centre + half))


@cache
def normal_quantile(probability: float) -> float:
    """The standard normal quantile of `probability` in 0..1 (1.96 for 0.975)."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(probability)
