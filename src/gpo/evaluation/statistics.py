"""How sure a comparison of two prompts is: paired statistics over the same examples.

Knows numbers only: values in 0..1, one an example, in the same order for both prompts.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass


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
    z = _normal_quantile(0.5 + confidence / 2)
    centre = (mean + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(mean * (1 - mean) / n + z * z / (4 * n * n))
    return Interval(mean, max(0.0, centre - half), min(1.0, centre + half))


def paired_bootstrap(
    before: Sequence[float],
    after: Sequence[float],
    *,
    seed: int,
    confidence: float = 0.95,
    resamples: int = 10_000,
) -> Interval:
    """Percentile bootstrap interval of mean(after − before) over examples drawn with replacement.

    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13. `seed` fixes the draws. Raises
    `ValueError` where the lengths differ or are 0.
    """
    import numpy as np

    differences = np.asarray(_differences(before, after))
    generator = np.random.Generator(np.random.PCG64(seed))
    means = np.empty(resamples)
    # In blocks, so that a large split does not need resamples × n numbers at once.
    block = max(1, 2_000_000 // len(differences))
    for start in range(0, resamples, block):
        stop = min(start + block, resamples)
        draws = generator.integers(0, len(differences), size=(stop - start, len(differences)))
        means[start:stop] = differences[draws].mean(axis=1)
    low, high = np.quantile(means, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Interval(float(differences.mean()), float(low), float(high))


def mcnemar(before: Sequence[float], after: Sequence[float]) -> float:
    """Two-sided p-value of the exact McNemar test for 0/1 values: under no difference, the examples on which just one
    prompt is right fall to either with probability ½.

    Q. McNemar, 1947. Raises `ValueError` where the lengths differ or are 0.
    """
    differences = _differences(before, after)
    gained = sum(difference > 0 for difference in differences)
    lost = sum(difference < 0 for difference in differences)
    n = gained + lost
    if n == 0:
        return 1.0
    # Exact integers: at n = 2,000 the float power of ½ would underflow.
    tail = sum(math.comb(n, i) for i in range(min(gained, lost) + 1))
    return min(1.0, float(2 * tail / (1 << n)))


def sign_flip(before: Sequence[float], after: Sequence[float], *, seed: int, draws: int = 10_000) -> float:
    """Two-sided p-value of the paired randomization test for graded values: under no difference the sign of every
    example's difference is a coin flip. Counts the observed sum among the draws, so it is never 0.

    R. A. Fisher, The Design of Experiments, 1935. Raises `ValueError` where the lengths differ or are 0.
    """
    differences = [difference for difference in _differences(before, after) if difference != 0]
    observed = abs(sum(differences))
    generator = random.Random(f"{seed}/sign-flip")
    extreme = 0
    for _ in range(draws):
        signs = generator.getrandbits(len(differences)) if differences else 0
        total = sum(d if signs >> i & 1 else -d for i, d in enumerate(differences))
        extreme += abs(total) >= observed - 1e-12
    return (extreme + 1) / (draws + 1)


def p_value(before: Sequence[float], after: Sequence[float], *, seed: int) -> float:
    """`mcnemar` where every value is 0 or 1, `sign_flip` elsewhere."""
    if all(value in (0.0, 1.0) for value in (*before, *after)):
        return mcnemar(before, after)
    return sign_flip(before, after, seed=seed)


def _differences(before: Sequence[float], after: Sequence[float]) -> list[float]:
    if len(before) != len(after) or not before:
        raise ValueError("paired values need two lists of the same length, at least 1")
    return [b - a for a, b in zip(before, after, strict=True)]


def _normal_quantile(probability: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(probability)
