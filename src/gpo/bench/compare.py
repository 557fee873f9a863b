"""How far one method's sealed test scores stand from another's: a paired interval over all seeds and tasks.

Knows numbers only.
"""

from __future__ import annotations

from collections.abc import Sequence

from gpo.evaluation.statistics import Interval

Stratum = Sequence[Sequence[float]]
"""One task: for each of its examples the differences (after − before), one a seed in which it stood in test."""


def stratified_interval(
    strata: Sequence[Stratum],
    weights: Sequence[float] | None = None,
    *,
    seed: int = 0,
    confidence: float = 0.95,
    resamples: int = 10_000,
) -> Interval:
    """Percentile bootstrap interval of the mean difference, averaged over tasks as the paper averages subtasks: all
    alike, or with `weights` that add up to 1.

    Whole examples are drawn with replacement within each task, all their seeds together: answers to one question under
    three seeds are no three independent observations. Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
    chapters 8 and 13. Raises `ValueError` where a task has no example.
    """
    import numpy as np

    if not strata or any(not stratum for stratum in strata):
        raise ValueError("an interval needs at least one example a task")
    generator = np.random.Generator(np.random.PCG64(seed))
    total, mean = np.zeros(resamples), 0.0
    shares = weights or [1 / len(strata)] * len(strata)
    for stratum, share in zip(strata, shares, strict=True):
        sums = np.array([sum(differences) for differences in stratum], dtype=float)
        counts = np.array([len(differences) for differences in stratum], dtype=float)
        mean += float(sums.sum() / counts.sum()) * share
        # In blocks, so that a large task does not need resamples × examples numbers at once.
        block = max(1, 2_000_000 // len(stratum))
        for start in range(0, resamples, block):
            stop = min(start + block, resamples)
            draws = generator.integers(0, len(stratum), size=(stop - start, len(stratum)))
            total[start:stop] += sums[draws].sum(axis=1) / counts[draws].sum(axis=1) * share
    low, high = np.quantile(total, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Interval(mean, float(low), float(high))
