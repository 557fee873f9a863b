"""How far one method's held-out test scores stand from another's: one comparison over all seeds and tasks."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence

from gpo.evaluation.statistics import Comparison, compare_groups

Stratum = Mapping[str, Sequence[float]]
"""What is averaged alike, a task under one model and setting: for each of its questions the differences (after −
before), one a seed in which it stood in test."""


def compare_strata(
    strata: Sequence[Stratum],
    weights: Sequence[float] | None = None,
    tasks: Sequence[Hashable] | None = None,
    *,
    scale: float = 1.0,
    seed: int = 0,
) -> Comparison:
    """Compare by the mean difference, averaged over strata as the paper averages subtasks: all alike, or with `weights`
    that add up to 1. No difference is beyond ±`scale`.

    A question is one observation with all that was answered to it: answers to one question under three seeds or two
    models are not independent. Questions are drawn (and flipped) within each task; `tasks` names the task of each
    stratum, each its own where left out. A mean over questions that were asked unequally often is a ratio, and each
    question counts by its influence on it (B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, 1993,
    chapters 8 and 21). Raises `ValueError` where a stratum has no question.
    """
    if not strata or any(not stratum for stratum in strata):
        raise ValueError("an interval needs at least one example a task")
    shares = weights or [1 / len(strata)] * len(strata)
    members: dict[Hashable, list[int]] = {}
    for index in range(len(strata)):
        members.setdefault(index if tasks is None else tasks[index], []).append(index)
    groups = [
        _by_question([(strata[index], shares[index]) for index in indices]) for indices in members.values()
    ]
    scales = [scale * sum(shares[index] for index in indices) for indices in members.values()]
    return compare_groups(groups, scales, seed=seed)


def _by_question(parts: Sequence[tuple[Stratum, float]]) -> list[float]:
    """One value a question of a task: their mean is the weighted sum of the strata's means."""
    questions = list(dict.fromkeys(question for stratum, _ in parts for question in stratum))
    values = [0.0] * len(questions)
    for stratum, share in parts:
        found = [stratum.get(question, ()) for question in questions]
        often = sum(map(len, found))
        usual, mean = often / len(questions), math.fsum(map(math.fsum, found)) / often
        for place, differences in enumerate(found):
            own = math.fsum(differences) / usual
            values[place] += share * (own + mean * (1 - len(differences) / usual))
    return values
