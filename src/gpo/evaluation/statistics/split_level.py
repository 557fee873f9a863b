"""How sure a score of a whole split is, and a difference of two: a bootstrap over rows, and rows that swap prompts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from gpo.evaluation.statistics.comparison import Comparison
from gpo.evaluation.statistics.interval import Interval, normal_quantile
from gpo.evaluation.statistics.paired import BLOCKS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Rows = Sequence[Mapping[str, float]]
"""What each row adds to a score, by name."""
ScoreOf = Callable[[Mapping[str, float]], float]
"""From sums over rows to a score."""

DRAWS = 1_999


def split_interval(rows: Rows, score: ScoreOf, *, seed: int) -> Interval:
    """The score of `rows` and its 95 % interval, see `compare_split_level`. Raises `ValueError` without a row."""
    names, parts = _blocks([rows], seed)
    return _bootstrap(parts, lambda totals: _score(score, names, totals[0]), seed)


def compare_split_level(before: Rows, after: Rows, score: ScoreOf, *, seed: int) -> Comparison:
    """Compare two prompts over the same rows by a score that is no mean over rows.

    The interval is the bias-corrected and accelerated bootstrap's over rows (Efron 1987, "Better Bootstrap Confidence
    Intervals"): rows are drawn with replacement, both prompts' together, and the score is computed anew. The p-value is
    that of a permutation test: were the prompts alike, which of both a row's answer came from would be chance, so rows
    swap them at random; counted is how often the difference is as large as the one that was seen, itself included.
    Above 1,000 rows both take random blocks of rows in place of rows. `seed` fixes what is drawn.
    Raises `ValueError` where the lengths differ or are 0.
    """
    import numpy as np

    if len(before) != len(after):
        raise ValueError("paired values need two lists of the same length, at least 1")
    names, parts = _blocks([before, after], seed)

    def gain(totals: Floats) -> float:
        return _score(score, names, totals[1]) - _score(score, names, totals[0])

    interval = _bootstrap(parts, gain, seed)
    generator = np.random.Generator(np.random.PCG64([seed, 4]))
    size = abs(interval.mean) - 1e-12
    as_large = 1
    for _ in range(DRAWS):
        kept = generator.integers(2, size=parts.shape[1]).astype(float)
        own, other = np.einsum("b,pbn->pn", kept, parts), np.einsum("b,pbn->pn", 1 - kept, parts)
        as_large += abs(gain(own + other[::-1])) >= size
    p_value = as_large / (DRAWS + 1)
    return Comparison(interval.mean, interval.low, interval.high, p_value, len(before), graded=True)


def _blocks(prompts: Sequence[Rows], seed: int) -> tuple[list[str], Floats]:
    """The names, and sums of shape (prompts, at most `BLOCKS` blocks of random rows, names)."""
    import numpy as np

    count = len(prompts[0])
    if not count:
        raise ValueError("an interval needs at least one row")
    names = sorted({name for rows in prompts for row in rows for name in row})
    table = np.array([[[row.get(name, 0.0) for name in names] for row in rows] for rows in prompts])
    if count <= BLOCKS:
        return names, table
    order = np.random.Generator(np.random.PCG64([seed, 2])).permutation(count)
    blocks = np.array_split(order, BLOCKS)
    return names, np.stack([table[:, block].sum(axis=1) for block in blocks], axis=1)


def _score(score: ScoreOf, names: Sequence[str], totals: Floats) -> float:
    return score(dict(zip(names, totals.tolist(), strict=True)))


def _bootstrap(parts: Floats, statistic: Callable[[Floats], float], seed: int) -> Interval:
    """The statistic of the sums over `parts` (prompts, blocks, names), and its BCa interval."""
    import numpy as np

    blocks = parts.shape[1]
    whole = parts.sum(axis=1)
    seen = statistic(whole)
    generator = np.random.Generator(np.random.PCG64([seed, 3]))
    found = np.empty(DRAWS)
    for draw in range(DRAWS):
        weights = np.bincount(generator.integers(blocks, size=blocks), minlength=blocks).astype(float)
        found[draw] = statistic(np.einsum("b,pbn->pn", weights, parts))
    found.sort()
    if found[0] == found[-1]:
        return Interval(seen, min(seen, float(found[0])), max(seen, float(found[0])))
    # Ties count half: of a score with few values many draws are the same as what was seen.
    below = (np.count_nonzero(found < seen - 1e-12) + np.count_nonzero(found <= seen + 1e-12)) / 2
    share = min(max(below, 0.5), DRAWS - 0.5) / DRAWS
    bias = NormalDist().inv_cdf(share)
    acceleration = _acceleration(parts, whole, statistic) if blocks > 1 else 0.0
    low, high = (_limit(found, bias, acceleration, side) for side in (-1, 1))
    return Interval(seen, min(low, seen), max(high, seen))


def _acceleration(parts: Floats, whole: Floats, statistic: Callable[[Floats], float]) -> float:
    """How fast the spread changes with the score: from the statistic without each block."""
    import numpy as np

    without = np.array([statistic(whole - parts[:, block]) for block in range(parts.shape[1])])
    spread = without.mean() - without
    square = float((spread**2).sum())
    return float((spread**3).sum()) / (6 * square**1.5) if square > 0 else 0.0


def _limit(found: Any, bias: float, acceleration: float, side: int) -> float:
    shifted = bias + side * normal_quantile(0.975)
    level = NormalDist().cdf(bias + shifted / max(1e-9, 1 - acceleration * shifted))
    place = level * (len(found) + 1)
    rank = math.floor(place) if side < 0 else math.ceil(place)  # outwards
    return float(found[min(max(rank - 1, 0), len(found) - 1)])
