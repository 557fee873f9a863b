"""Racing: a step's candidates meet on a shared part of dev, the best third goes on, and the winner meets all of it.

Why this and not halving, a sequential test or a bandit: `docs/racing.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from gpo.evaluation.outcome import Score
from gpo.evaluation.score import Scorer
from gpo.task.metrics.split_level import add_up

FINALISTS = 2
"""At least; else a third of the candidates."""
SHARE = 6
"""The first round takes one sixth of the examples."""
LEAST_ROWS = 4
RECENT = 6
"""Complete scores that say which examples tell prompts apart."""


@dataclass(frozen=True, slots=True)
class FirstRound:
    """After `rows` examples the best `keep` candidates go on."""

    rows: int
    keep: int


@dataclass(frozen=True, slots=True)
class Raced:
    """The `winner` and the `scores` of all by prompt: complete ones of the finalists; those of the others say on which
    rows they rest (`Score.rows`)."""

    winner: str
    scores: Mapping[str, Score]


def first_round(candidates: int, examples: int) -> FirstRound | None:
    """The round before the final: of eight candidates on 48 examples, the best 3 after 8 examples. None where nobody
    would drop out."""
    found = FirstRound(max(LEAST_ROWS, examples // SHARE), max(FINALISTS, -(-candidates // 3)))
    return found if found.keep < candidates and found.rows < examples else None


def evaluations_per_row(candidates: int, examples: int) -> list[int]:
    """How many candidates meet each example, in the order of the race: 8 eight times and 3 forty times for 8
    candidates on 48."""
    first = first_round(candidates, examples)
    if first is None:
        return [candidates] * examples
    return [candidates] * first.rows + [first.keep] * (examples - first.rows)


def pairs(candidates: int, examples: int) -> int:
    """(prompt, example) pairs that a race asks for, where none is known: 184 of 384 for 8 candidates on 48."""
    return sum(evaluations_per_row(candidates, examples))


def discriminative_rows(scores: Sequence[Score], examples: int, rng: Random) -> list[int]:
    """The indices of `examples` examples, those first on which the last of the complete `scores` differ most (by the
    variance of their values); where they are equal, as at the beginning, in the random order of `rng`.

    What every prompt gets right, or none, says nothing about which of two is better, so a short first round is spent on
    the others. Means over such a part are lower or higher than those over all: they only rank those who ran there.
    """
    rows = list(range(examples))
    rng.shuffle(rows)
    known = [score.values for score in scores if score.complete][-RECENT:]
    return sorted(rows, key=lambda row: -_variance([values[row] for values in known]))


def _variance(values: Sequence[float | None]) -> float:
    found = [value for value in values if value is not None]
    if not found:
        return 0.0
    mean = sum(found) / len(found)
    # Rounded: equal variances are to be equal whatever the order of their terms.
    return round(sum((value - mean) ** 2 for value in found) / len(found), 9)


async def race(scorer: Scorer, prompts: Sequence[str], order: Sequence[int], split: str = "dev") -> Raced:
    """Race `prompts` over the examples of `split` in the given `order` (a permutation of their indices).

    All calls of the first round are in the queue at once, and none of the final: a candidate that drops out has no
    calls left there, and what is asked does not depend on the order in which calls finish. Equal means go by the order
    of `prompts`. Raises what the scorer raises.
    """
    left = list(dict.fromkeys(prompts))
    scores: dict[str, Score] = {}
    if first := first_round(len(left), len(order)):
        rows = tuple(order[: first.rows])
        scores.update(zip(left, await scorer.score_rows(left, split, rows), strict=True))
        usable = [row for row in rows if row not in scorer.excluded(split)]
        # Sorting is stable: of equals, the one that came first stays in front.
        ranked = sorted(left, key=lambda prompt: -_total(scores[prompt], usable))
        left = [prompt for prompt in left if prompt in ranked[: first.keep]]
    scores.update(zip(left, await scorer.score(left, split), strict=True))
    winner = max(left, key=lambda prompt: scorer.mean(scores[prompt]))
    return Raced(winner, MappingProxyType(scores))


def _total(score: Score, rows: Sequence[int]) -> float:
    if score.split_level is not None:
        return score.split_level.metric.score(add_up(score.counts_of(rows)))
    values = score.by_row()
    return sum(values[row] or 0.0 for row in rows)
