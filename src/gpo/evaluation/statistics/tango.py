"""The score interval of a paired difference of 0/1 scores: all differences that a test would not reject."""

from __future__ import annotations

import math

from gpo.evaluation.statistics.interval import Interval, normal_quantile

_HALVINGS = 40


def tango(gained: int, lost: int, rows: int, confidence: float = 0.95) -> Interval:
    """Tango's score interval for the difference of two paired proportions: of `rows` 0/1 scores `gained` rose and
    `lost` fell.

    Its limits are the differences Δ at which (gained − lost − n Δ)/√(n (2 p + Δ (1 − Δ))) is z and −z, where p is the
    share of fallen rows that is most likely under Δ: the larger root of 2n p² + B p + C with
    B = (2n − gained + lost) Δ − gained − lost and C = −lost Δ (1 − Δ). T. Tango, Equivalence test and confidence
    interval for the difference in proportions for the paired-sample design, Statistics in Medicine 17, 1998.
    """
    z, estimate = normal_quantile(0.5 + confidence / 2), (gained - lost) / rows
    low = _crossing(gained, lost, rows, -1.0, estimate, z)
    high = _crossing(gained, lost, rows, estimate, 1.0, -z)
    return Interval(estimate, low, high)


def _crossing(gained: int, lost: int, rows: int, low: float, high: float, wanted: float) -> float:
    """Where the statistic, which falls with the difference, is `wanted`."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _statistic(gained, lost, rows, middle) > wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _statistic(gained: int, lost: int, rows: int, difference: float) -> float:
    b = (2 * rows - gained + lost) * difference - gained - lost
    c = -lost * difference * (1 - difference)
    fallen = (math.sqrt(max(0.0, b * b - 8 * rows * c)) - b) / (4 * rows)
    variance = rows * (2 * fallen + difference * (1 - difference))
    distance = gained - lost - rows * difference
    return distance / math.sqrt(variance) if variance > 1e-12 else math.copysign(math.inf, distance)
