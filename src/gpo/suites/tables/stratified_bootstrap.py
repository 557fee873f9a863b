"""How far one method's sealed test scores stand from another's: a paired interval over all seeds and tasks.

Knows numbers only.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from gpo.evaluation.statistics import Interval

Stratum = Mapping[str, Sequence[float]]
"""What is averaged alike, a task under one model and setting: for each of its questions the differences (after −
before), one a seed in which it stood in test."""


def stratified_interval(
    strata: Sequence[Stratum],
    weights: Sequence[float] | None = None,
    tasks: Sequence[Hashable] | None = None,
    *,
    seed: int = 0,
    confidence: float = 0.95,
    resamples: int = 10_000,
) -> Interval:
    """Percentile bootstrap interval of the mean difference, averaged over strata as the paper averages subtasks: all
    alike, or with `weights` that add up to 1.

    Whole questions are drawn with replacement within each task, with all that was answered to them: answers to one
    question under three seeds or two models are no independent observations. `tasks` names the task of each stratum,
    each its own where left out. Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13. Raises
    `ValueError` where a stratum has no question.
    """
    import numpy as np

    if not strata or any(not stratum for stratum in strata):
        raise ValueError("an interval needs at least one example a task")
    generator = np.random.Generator(np.random.PCG64(seed))
    total, mean = np.zeros(resamples), 0.0
    shares = weights or [1 / len(strata)] * len(strata)
    members: dict[Hashable, list[int]] = {}
    for index in range(len(strata)):
        members.setdefault(index if tasks is None else tasks[index], []).append(index)
    for indices in members.values():
        questions = list(dict.fromkeys(question for index in indices for question in strata[index]))
        found = [[strata[index].get(question, ()) for question in questions] for index in indices]
        sums = [np.array([sum(differences) for differences in one], dtype=float) for one in found]
        counts = [np.array([len(differences) for differences in one], dtype=float) for one in found]
        means = [float(sums_.sum() / counts_.sum()) for sums_, counts_ in zip(sums, counts, strict=True)]
        mean += sum(shares[index] * value for index, value in zip(indices, means, strict=True))
        # In blocks, so that a large task does not need resamples × examples numbers at once.
        block = max(1, 2_000_000 // len(questions))
        for start in range(0, resamples, block):
            stop = min(start + block, resamples)
            draws = generator.integers(0, len(questions), size=(stop - start, len(questions)))
            for slot, index in enumerate(indices):
                drawn = counts[slot][draws].sum(axis=1)
                # A draw may hold no question of a stratum that has few of the task's: then it tells nothing of it.
                missed = drawn == 0
                values = sums[slot][draws].sum(axis=1) / np.where(missed, 1, drawn)
                total[start:stop] += np.where(missed, means[slot], values) * shares[index]
    low, high = np.quantile(total, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Interval(mean, float(low), float(high))
