"""The studentized bootstrap: an interval for graded differences that follows their skew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from gpo.evaluation.statistics.adjusted_wald import adjusted_wald
from gpo.evaluation.statistics.interval import Interval
from gpo.evaluation.statistics.paired import differences, sum_blocks
from gpo.evaluation.statistics.plain_resampling import draw_ratios
from gpo.extras import is_installed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gpo.evaluation.statistics.paired import Floats

RESAMPLES = 9_999
"""One less than a round number, so that the limits are order statistics (the 250th from either end)."""
_AT_ONCE = 2_000_000
_DIGITS = 12
"""Behind the point. With numpy and without it sums differ in the last digits, and results shall not."""


def paired_bootstrap(
    before: Sequence[float],
    after: Sequence[float],
    *,
    seed: int,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """`bootstrap_t` of mean(after − before), values in 0..1. Raises `ValueError` where the lengths differ or are 0."""
    return bootstrap_t(
        [differences(before, after)], [1.0], seed=seed, confidence=confidence, resamples=resamples
    )


def bootstrap_t(
    groups: Sequence[Floats],
    scales: Sequence[float],
    *,
    seed: int,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Bootstrap-t interval of the sum of the means of `groups`, whose rows are drawn with replacement each for itself.

    With mean m and standard error s, and m* and s* those of a resample, the limits are m − s · q of the quantiles q
    of (m* − m)/s* (B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, 1993, section 12.5). Where few rows
    differ, resamples know too little of them: no limit is nearer than `adjusted_wald`'s with two rows as large as those
    that differ. A resample without variance counts as infinitely far off on its side; a limit that is not finite for
    that (one row or two, rows that are all alike, differences in hardly any row) is `adjusted_wald`'s with rows as
    large as can be, ±`scales`, one a group. `seed` fixes the draws. Raises `ValueError` where a group is empty.
    """
    if not groups or any(not len(values) for values in groups):
        raise ValueError("an interval needs at least one value")
    mean = sum(fmean(values) for values in groups)
    bound = sum(scales)
    low, high = _adjust(groups, scales, confidence)
    limits = _studentized(groups, seed, confidence, resamples)
    if limits is not None:
        nearest = _adjust(groups, [_usual(*pair) for pair in zip(groups, scales, strict=True)], confidence)
        low = min(mean - limits[1], nearest[0]) if math.isfinite(limits[1]) else low
        high = max(mean - limits[0], nearest[1]) if math.isfinite(limits[0]) else high
    found = mean, max(-bound, min(low, mean)), min(bound, max(high, mean))
    return Interval(*(round(value, _DIGITS) for value in found))


def _adjust(groups: Sequence[Floats], scales: Sequence[float], confidence: float) -> tuple[float, float]:
    told = [
        (math.fsum(values), _sum_squares(values), len(values), scale)
        for values, scale in zip(groups, scales, strict=True)
    ]
    return adjusted_wald(told, confidence)


def _usual(values: Floats, scale: float) -> float:
    """The size of a difference, as a root mean square over the rows that differ; `scale` where none does."""
    moved = [value for value in values if value != 0]
    return math.sqrt(_sum_squares(moved) / len(moved)) if moved else scale


def _sum_squares(values: Floats) -> float:
    return math.fsum(value * value for value in values)


def _studentized(
    groups: Sequence[Floats], seed: int, confidence: float, resamples: int
) -> tuple[float, float] | None:
    """Quantiles of s (m* − m)/s*; None where no standard error can be had."""
    means = [fmean(values) for values in groups]
    around = [[value - mean for value in values] for values, mean in zip(groups, means, strict=True)]
    blocks = [sum_blocks(values, seed, 0.0) for values in around]
    sizes = [-(-len(values) // len(block)) for values, block in zip(groups, blocks, strict=True)]
    centred = [[value / size for value in block] for block, size in zip(blocks, sizes, strict=True)]
    error = math.sqrt(sum(_error_squared(values) for values in centred))
    span = sum(max(map(abs, values)) for values in centred)
    if any(len(values) < 2 for values in centred) or error <= 1e-9 * span:
        return None
    draw = _draw_ratios if is_installed("numpy") else draw_ratios
    ordered = sorted(draw(centred, seed, resamples, span))
    place = max(1, int((resamples + 1) * (1 - confidence) / 2 + 1e-9))
    return ordered[place - 1] * error, ordered[resamples - place] * error


def _error_squared(values: Floats) -> float:
    """The squared standard error of the mean of values around 0."""
    return _sum_squares(values) / len(values) / max(1, len(values) - 1)


def _draw_ratios(groups: Sequence[Floats], seed: int, resamples: int, span: float) -> list[float]:
    """`plain_resampling.draw_ratios` with numpy."""
    import numpy as np

    generator = np.random.Generator(np.random.PCG64(seed))
    shift, squared = np.zeros(resamples), np.zeros(resamples)
    for values in groups:
        _draw(np.asarray(values, dtype=np.float64), generator, shift, squared)
    still = squared <= (1e-9 * span) ** 2
    far = np.where(np.abs(shift) <= 1e-9 * span, 0.0, np.copysign(np.inf, shift))
    ratios: list[float] = np.where(still, far, shift / np.sqrt(np.where(still, 1.0, squared))).tolist()
    return ratios


def _draw(
    values: NDArray[np.float64],
    generator: np.random.Generator,
    shift: NDArray[np.float64],
    squared: NDArray[np.float64],
) -> None:
    """Add the mean and the squared standard error of resamples of `values` to `shift` and `squared`, in blocks, so
    that a large split does not need resamples × rows numbers at once."""
    import numpy as np

    rows = len(values)
    block = max(1, _AT_ONCE // rows)
    for start in range(0, len(shift), block):
        part = slice(start, min(start + block, len(shift)))
        indices = generator.integers(0, rows, size=(part.stop - start, rows), dtype=np.int32)
        drawn = values[indices]
        means = drawn.mean(axis=1)
        shift[part] += means
        squares = np.einsum("ij,ij->i", drawn, drawn) / rows
        squared[part] += (squares - means * means) / (rows - 1)
