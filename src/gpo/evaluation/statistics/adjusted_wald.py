"""The interval of a paired difference that holds with few discordant rows: Wald's, over two made-up rows more."""

from __future__ import annotations

import math

from gpo.evaluation.statistics.interval import Interval, normal_quantile


def bonett_price(gained: int, lost: int, rows: int, confidence: float = 0.95) -> Interval:
    """Bonett and Price's adjusted Wald interval for the difference of two paired proportions: of `rows` 0/1 scores
    `gained` rose from 0 to 1 and `lost` fell from 1 to 0.

    With p₁ = (gained + 1)/(n + 2) and p₂ = (lost + 1)/(n + 2) it is p₁ − p₂ ± z √((p₁ + p₂ − (p₁ − p₂)²)/(n + 2)).
    D. G. Bonett and R. M. Price, Adjusted Wald confidence interval for a difference of binomial proportions based on
    paired data, Journal of Educational and Behavioral Statistics 37, 2012. `mean` is the plain difference
    (gained − lost)/n. Raises `ValueError` where the counts do not fit.
    """
    if rows < 1 or min(gained, lost) < 0 or gained + lost > rows:
        raise ValueError(
            "gained and lost rows must be at least 0 and no more than all rows, of which one is needed"
        )
    low, high = adjusted_wald([(gained - lost, gained + lost, rows, 1.0)], confidence)
    return Interval((gained - lost) / rows, max(-1.0, low), min(1.0, high))


def adjusted_wald(
    groups: list[tuple[float, float, int, float]], confidence: float = 0.95
) -> tuple[float, float]:
    """The same for the sum of the means of several `groups` of differences, each told by its sum, its sum of squares,
    its number of rows and a size: two rows of ± that size are added to each.

    For one group of differences −1, 0 and 1 this is Bonett and Price's interval. It stands in where a bootstrap has
    too little to go by.
    """
    z = normal_quantile(0.5 + confidence / 2)
    centre = variance = 0.0
    for total, squares, rows, size in groups:
        mean = total / (rows + 2)
        centre += mean
        variance += ((squares + 2 * size * size) / (rows + 2) - mean * mean) / (rows + 2)
    half = z * math.sqrt(variance)
    return centre - half, centre + half
