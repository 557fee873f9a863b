"""Guessing, the analogue of a constraint: a prompt under which the model says nearly always the same is no solution.

Its score is the share of one answer in the data, whatever the question says. GrIPS (Prasad et al. 2022, arXiv
2203.07281) adds the entropy of the answers to its score for the same reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from gpo.evaluation.outcome import Outcome

SHARE = 0.9
LEAST_ROWS = 8


def is_guessing(outcomes: Collection[Outcome], labels: Collection[str], least: int = LEAST_ROWS) -> bool:
    """Whether at least nine tenths of at least `least` `outcomes` were read as one answer. Not where the right answers,
    `labels`, are as much alike themselves: then to say the same is right."""
    said = [repr(outcome.prediction) for outcome in outcomes if outcome.prediction is not None]
    answered = sum(outcome.value is not None for outcome in outcomes)
    if answered < least:
        return False
    return _most(said) >= SHARE * answered and _most(labels) < SHARE * len(labels)


def _most(values: Collection[str]) -> int:
    return max(Counter(values).values(), default=0)
