"""The studentized bootstrap: an interval for graded differences that follows their skew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpo.evaluation.statistics.adjusted_wald import adjusted_wald
from gpo.evaluation.statistics.interval import Interval
from gpo.evaluation.statistics.paired import differences, sum_blocks

if TYPE_CHECKING:
    import numpy as np

    from gpo.evaluation.statistics.paired import Floats

RESAMPLES = 9_999
"""One less than a round number, so that the limits are order statistics (the 250th from either end)."""
_AT_ONCE = 2_000_000


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
    import numpy as np

    if not groups or any(not len(values) for values in groups):
        raise ValueError("an interval needs at least one value")
    mean = float(sum(values.mean() for values in groups))
    bound = sum(scales)
    low, high = _adjust(groups, scales, confidence)
    limits = _studentized(groups, seed, confidence, resamples)
    if limits is not None:
        nearest = _adjust(groups, [_usual(*pair) for pair in zip(groups, scales, strict=True)], confidence)
        low = min(mean - limits[1], nearest[0]) if np.isfinite(limits[1]) else low
        high = max(mean - limits[0], nearest[1]) if np.isfinite(limits[0]) else high
    return Interval(mean, max(-bound, min(low, mean)), min(bound, max(high, mean)))


def _adjust(groups: Sequence[Floats], scales: Sequence[float], confidence: float) -> tuple[float, float]:
    import numpy as np

    told = [
        (float(values.sum()), float(np.square(values).sum()), len(values), scale)
        for values, scale in zip(groups, scales, strict=True)
    ]
    return adjusted_wald(told, confidence)


def _usual(values: Floats, scale: float) -> float:
    """The size of a difference, as a root mean square over the rows that differ; `scale` where none does."""
    import numpy as np

    moved = values[values != 0]
    return float(np.sqrt(np.square(moved).mean())) if len(moved) else scale


def _studentized(
    groups: Sequence[Floats], seed: int, confidence: float, resamples: int
) -> tuple[float, float] | None:
    """Quantiles of s (m* − m)/s*; None where no standard error can be had."""
    import numpy as np

    blocks = [sum_blocks(values - values.mean(), seed, 0.0) for values in groups]
    sizes = [-(-len(values) // len(block)) for values, block in zip(groups, blocks, strict=True)]
    centred = [block / size for block, size in zip(blocks, sizes, strict=True)]
    error = float(np.sqrt(sum(_error_squared(values) for values in centred)))
    span = sum(float(np.abs(values).max()) for values in centred)
    if any(len(values) < 2 for values in centred) or error <= 1e-9 * span:
        return None
    generator = np.random.Generator(np.random.PCG64(seed))
    shift, squared = np.zeros(resamples), np.zeros(resamples)
    for values in centred:
        _draw(values, generator, shift, squared)
    still = squared <= (1e-9 * span) ** 2
    far = np.where(np.abs(shift) <= 1e-9 * span, 0.0, np.copysign(np.inf, shift))
    ratio = np.where(still, far, shift / np.sqrt(np.where(still, 1.0, squared)))
    place = max(1, int((resamples + 1) * (1 - confidence) / 2 + 1e-9))
    ordered = np.partition(ratio, [place - 1, resamples - place])
    return float(ordered[place - 1]) * error, float(ordered[resamples - place]) * error


def _error_squared(values: Floats) -> float:
    """The squared standard error of the mean of values around 0."""
    import numpy as np

    return float(np.square(values).sum()) / len(values) / max(1, len(values) - 1)


def _draw(values: Floats, generator: np.random.Generator, shift: Floats, squared: Floats) -> None:
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
