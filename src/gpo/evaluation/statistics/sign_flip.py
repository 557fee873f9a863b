"""The paired randomization test for graded scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpo.evaluation.statistics.mcnemar import mcnemar_counts
from gpo.evaluation.statistics.paired import count_changes, differences, has_only_signs, sum_blocks
from gpo.evaluation.statistics.plain_resampling import count_all_flips, count_drawn_flips
from gpo.extras import is_installed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gpo.evaluation.statistics.paired import Floats

DRAWS = 9_999
_AT_ONCE = 2_000_000


def p_value(before: Sequence[float], after: Sequence[float], *, seed: int) -> float:
    """`mcnemar` where no row differs but by 1, as with 0/1 values, `sign_flip` elsewhere (they are the same test
    there). Raises `ValueError` where the lengths differ or are 0."""
    return flip_or_count(differences(before, after), seed=seed)


def sign_flip(before: Sequence[float], after: Sequence[float], *, seed: int, draws: int = DRAWS) -> float:
    """Two-sided p-value of the paired randomization test: under no difference the sign of every row's difference is a
    coin flip, and p is the share of all flips whose sum is as far from 0 as the observed one.

    R. A. Fisher, The Design of Experiments, 1935. All flips are counted where they are no more than `draws`; else that
    many are drawn and the observed one is added, so that p is never 0. Raises `ValueError` where the lengths differ or
    are 0.
    """
    return flip(differences(before, after), seed=seed, draws=draws)


def flip_or_count(values: Floats, *, seed: int, scale: float = 1.0) -> float:
    """The p-value of differences: exact by counting where all are 0 or ±`scale`."""
    if has_only_signs(values, scale):
        return mcnemar_counts(*count_changes(values, scale))
    return flip(values, seed=seed)


def flip(values: Floats, *, seed: int, draws: int = DRAWS) -> float:
    """`sign_flip` of differences."""
    changed = [float(value) for value in values if value != 0]
    if not changed:
        return 1.0
    # Flipping whole blocks is a randomization test as well, and as good with so many.
    moved = list(sum_blocks(changed, seed, 0.0))
    total = math.fsum(moved)
    least = abs(total) - 1e-9 * math.fsum(map(abs, moved))
    count = len(moved)
    whole = count < 60 and 1 << count <= draws
    if not is_installed("numpy"):
        if whole:
            return count_all_flips(moved, total, least)
        return (count_drawn_flips(moved, total, least, seed, draws, _AT_ONCE) + 1) / (draws + 1)
    import numpy as np

    if whole:
        flips = (np.arange(1 << count)[:, None] >> np.arange(count)) & 1
        return float((np.abs(2 * (flips @ np.asarray(moved)) - total) >= least).mean())
    generator = np.random.Generator(np.random.PCG64([seed, 1]))
    block = max(1, _AT_ONCE // count)
    extreme = 0
    for start in range(0, draws, block):
        size = min(block, draws - start)
        extreme += int(
            (np.abs(2 * (_coins(generator, size, count) @ np.asarray(moved)) - total) >= least).sum()
        )
    return (extreme + 1) / (draws + 1)


def _coins(generator: np.random.Generator, rows: int, columns: int) -> NDArray[np.float64]:
    """Zeros and ones of equal chance."""
    import numpy as np

    packed = np.frombuffer(generator.bytes(-(-rows * columns // 8)), dtype=np.uint8)
    return np.unpackbits(packed, count=rows * columns).reshape(rows, columns).astype(np.float64)
