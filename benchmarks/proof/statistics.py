"""How far one arm stands from another over tasks and seeds: difference, interval, p-value, Holm's correction.

Runs differ by their seed and by their rows; an interval that resamples rows alone says how sure the prompts are, not
how sure the method is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpo.evaluation.statistics import sign_flip

Floats = NDArray[np.float64]
Pair = Mapping[str, float]
"""One run against another of the same task and seed: the difference (ours − theirs) by question."""

DRAWS = 4_000


@dataclass(frozen=True, slots=True)
class Difference:
    """In the unit of the values: mean over tasks, 95 % interval, two-sided p-value, and how many runs were paired."""

    mean: float
    low: float
    high: float
    p_value: float
    runs: int


def compare_runs(tasks: Sequence[Sequence[Pair]], *, seed: int = 0, draws: int = DRAWS) -> Difference:
    """Compare by the mean over tasks of the mean over seeds; `tasks` holds for each task its runs, a seed each.

    The interval is a bootstrap of both sources of chance (percentiles of `draws`): within a task the questions are
    drawn anew, the same ones for all its seeds, and the seeds are drawn anew, their spread widened by √(n / (n − 1))
    since n seeds drawn from n spread less than seeds do. With one seed a task only the questions speak. The p-value
    flips the sign of whole runs (R. A. Fisher, 1935), each weighted as in the mean. Raises `ValueError` without runs.
    """
    if not tasks or any(not runs for runs in tasks):
        raise ValueError("a comparison needs a run a task")
    tables = [_table(runs) for runs in tasks]
    rng = np.random.default_rng([seed, 17])
    drawn = np.mean([_draws(table, rng, draws) for table in tables], axis=0)
    mean = float(np.mean([np.nanmean(table, axis=1).mean() for table in tables]))
    low, high = (float(value) for value in np.quantile(drawn, (0.025, 0.975)))
    weighted = np.concatenate([np.nanmean(table, axis=1) / len(table) for table in tables])
    p_value = sign_flip([0.0] * len(weighted), weighted.tolist(), seed=seed)
    return Difference(mean, low, high, p_value, len(weighted))


def _table(runs: Sequence[Pair]) -> Floats:
    """Runs × questions, NaN where a question was not in a run's test rows."""
    questions = {
        name: place for place, name in enumerate(dict.fromkeys(name for run in runs for name in run))
    }
    table = np.full((len(runs), len(questions)), np.nan)
    for number, run in enumerate(runs):
        for name, value in run.items():
            table[number, questions[name]] = value
    return table


def _draws(table: Floats, rng: np.random.Generator, draws: int) -> Floats:
    """Means of one task under `draws` resamples of questions and seeds."""
    seeds, questions = table.shape
    known = (~np.isnan(table)).astype(float)
    weights = rng.multinomial(questions, np.full(questions, 1 / questions), size=draws).astype(float)
    totals = weights @ known.T
    # Where a seed's rows were all left out its own mean stands in.
    means = np.where(
        totals > 0, weights @ np.nan_to_num(table).T / np.maximum(totals, 1), np.nanmean(table, axis=1)
    )
    centre: Floats = means.mean(axis=1)
    if seeds == 1:
        return centre
    chosen = rng.integers(0, seeds, size=(draws, seeds))
    moved = np.take_along_axis(means, chosen, axis=1).mean(axis=1) - centre
    found: Floats = centre + moved * np.sqrt(seeds / (seeds - 1))
    return found


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for their number (S. Holm, 1979), in their order: the smallest times n, the next times
    n − 1 and so on, never less than one before it and never more than 1."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected, least = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = least
    return corrected
