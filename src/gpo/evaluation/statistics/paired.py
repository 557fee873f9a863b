"""The differences between two prompts row by row, and how many rows stay handy however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpo.evaluation.statistics.plain_resampling import sum_random_blocks
from gpo.extras import is_installed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = Sequence[float] | NDArray[np.float64]
    """Numbers, in a list or an array."""

BLOCKS = 1_000
"""More rows than that are resampled in blocks of random rows: the cost of a draw stays the same for a million."""


def differences(before: Sequence[float], after: Sequence[float]) -> Floats:
    """`after` minus `before`, row by row. Raises `ValueError` where the lengths differ or are 0."""
    if len(before) != len(after) or not len(before):
        raise ValueError("paired values need two lists of the same length, at least 1")
    return [float(new) - float(old) for old, new in zip(before, after, strict=True)]


def has_only_signs(values: Floats, scale: float = 1.0) -> bool:
    """Whether every difference is −`scale`, 0 or +`scale`, as those of 0/1 scores are."""
    # What is a sum of weighted thirds may miss its round number by a last digit.
    return all(min(abs(value / scale - sign) for sign in (-1, 0, 1)) < 1e-9 for value in values)


def count_changes(values: Floats, scale: float = 1.0) -> tuple[int, int]:
    """How many of such differences are above and below 0."""
    return sum(value > scale / 2 for value in values), sum(value < -scale / 2 for value in values)


def sum_blocks(values: Floats, seed: int, pad: float) -> Floats:
    """Sums of at most `BLOCKS` blocks of equally many random rows, the last filled up with `pad`; one row a block
    where there are no more rows than that.

    Rows that are independent and alike make blocks that are independent and alike, so whatever resamples rows may
    resample blocks; a rare row that tells is as rare among the blocks.
    """
    size = -(-len(values) // BLOCKS)
    if size == 1:
        return values
    if not is_installed("numpy"):
        return sum_random_blocks(list(values), size, seed, pad)
    import numpy as np

    generator = np.random.Generator(np.random.PCG64([seed, 2]))
    filled = np.full(-(-len(values) // size) * size, pad)
    filled[: len(values)] = generator.permutation(np.asarray(values, dtype=np.float64))
    sums: Floats = filled.reshape(-1, size).sum(axis=1)
    return sums
