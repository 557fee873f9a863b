"""The differences between two prompts row by row, and how many rows stay handy however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BLOCKS = 1_000
"""More rows than that are resampled in blocks of random rows: the cost of a draw stays the same for a million."""


def differences(before: Sequence[float], after: Sequence[float]) -> Floats:
    """`after` minus `before`, row by row. Raises `ValueError` where the lengths differ or are 0."""
    import numpy as np

    if len(before) != len(after) or not len(before):
        raise ValueError("paired values need two lists of the same length, at least 1")
    return np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)


def has_only_signs(values: Floats, scale: float = 1.0) -> bool:
    """Whether every difference is −`scale`, 0 or +`scale`, as those of 0/1 scores are."""
    import numpy as np

    # What is a sum of weighted thirds may miss its round number by a last digit.
    parts = values / scale
    whole = np.rint(parts)
    return bool(np.all((np.abs(parts - whole) < 1e-9) & (np.abs(whole) <= 1)))


def count_changes(values: Floats, scale: float = 1.0) -> tuple[int, int]:
    """How many of such differences are above and below 0."""
    return int((values > scale / 2).sum()), int((values < -scale / 2).sum())


def sum_blocks(values: Floats, seed: int, pad: float) -> Floats:
    """Sums of at most `BLOCKS` blocks of equally many random rows, the last filled up with `pad`; one row a block
    where there are no more rows than that.

    Rows that are independent and alike make blocks that are independent and alike, so whatever resamples rows may
    resample blocks; a rare row that tells is as rare among the blocks.
    """
    import numpy as np

    size = -(-len(values) // BLOCKS)
    if size == 1:
        return values
    generator = np.random.Generator(np.random.PCG64([seed, 2]))
    filled = np.full(-(-len(values) // size) * size, pad)
    filled[: len(values)] = generator.permutation(values)
    sums: Floats = filled.reshape(-1, size).sum(axis=1)
    return sums
