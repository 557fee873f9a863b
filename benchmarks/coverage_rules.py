"""The rules that benchmarks/coverage.py holds against each other: GPO's, and what else is in use or could be.

Every rule says of a comparison its interval (none for a bare difference) and whether it calls the second prompt better.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gpo.evaluation.statistics import Interval, Verdict, bonett_price, compare_counts, decide, tango
from gpo.evaluation.statistics.bootstrap_t import bootstrap_t
from gpo.evaluation.statistics.sign_flip import flip

Floats = NDArray[np.float64]
Judged = tuple[float, float, bool]
"""Low, high, better."""
RESAMPLES = 999


@lru_cache(maxsize=2_000_000)
def ours(gained: int, lost: int, rows: int) -> Judged:
    """GPO's on 0/1 scores, as a result has it."""
    found = compare_counts(gained, lost, rows)
    return found.low, found.high, found.verdict is Verdict.BETTER


@lru_cache(maxsize=2_000_000)
def percentile(gained: int, lost: int, rows: int) -> Judged:
    """The percentile bootstrap of the mean difference, better where it lies above 0: GPO's rule before this one."""
    generator = np.random.Generator(np.random.PCG64([gained, lost, rows]))
    rises = generator.binomial(rows, gained / rows, size=RESAMPLES)
    rest = rows - gained
    falls = generator.binomial(rows - rises, lost / rest if rest else 0.0)
    low, high = np.quantile((rises - falls) / rows, [0.025, 0.975])
    return float(low), float(high), bool(low > 0)


def bare(gained: int, lost: int, rows: int) -> Judged:
    """Two means, and the larger is better: no interval."""
    return np.nan, np.nan, gained > lost


@lru_cache(maxsize=2_000_000)
def bonett_price_alone(gained: int, lost: int, rows: int) -> Judged:
    """Bonett and Price's interval without a test."""
    found = bonett_price(gained, lost, rows)
    return found.low, found.high, found.low > 0


@lru_cache(maxsize=2_000_000)
def tango_alone(gained: int, lost: int, rows: int) -> Judged:
    """Tango's interval without a test."""
    found = tango(gained, lost, rows)
    return found.low, found.high, found.low > 0


def ours_graded(values: Floats, seed: int) -> Judged:
    """GPO's on graded scores, with fewer resamples than a result takes."""
    found = bootstrap_t([values], [1.0], seed=seed, resamples=RESAMPLES)
    p_value = flip(values, seed=seed, draws=RESAMPLES)
    return found.low, found.high, decide(found.mean, found.low, found.high, p_value) is Verdict.BETTER


def percentile_graded(values: Floats, seed: int) -> Judged:
    """The percentile bootstrap of graded scores."""
    found = _percentile(values, seed)
    return found.low, found.high, found.low > 0


def _percentile(values: Floats, seed: int) -> Interval:
    generator = np.random.Generator(np.random.PCG64(seed))
    draws = generator.integers(0, len(values), size=(RESAMPLES, len(values)), dtype=np.int32)
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))


def bare_graded(values: Floats, seed: int) -> Judged:
    """Two means, and the larger is better."""
    return np.nan, np.nan, bool(values.sum() > 0)
