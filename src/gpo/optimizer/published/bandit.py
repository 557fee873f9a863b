"""Best-arm identification: which of many prompts are best, for fewer runs than all prompts on all rows.

Arms and rows are numbers here; `play` runs them. After Pryzant et al. 2023 (arXiv 2305.03495, Selection Step) and its
code (github.com/microsoft/LMOps, prompt_optimization/evaluators.py).
"""

from __future__ import annotations

import math
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Play = Callable[[Sequence[int], Sequence[int]], Awaitable[list[list[float | None]]]]
"""Values in 0..1 of every arm on every row, shape (arms, rows); None where a row could not be scored."""


@dataclass
class ArmScores:
    """What is known of every arm: the sum of its values and how many there are."""

    arms: int
    sums: list[float] = field(init=False)
    counts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.sums, self.counts = [0.0] * self.arms, [0] * self.arms

    def add(self, arms: Sequence[int], values: Sequence[Sequence[float | None]]) -> None:
        """Count new values; a row that could not be scored is no value, and not a 0."""
        for arm, row in zip(arms, values, strict=True):
            kept = [value for value in row if value is not None]
            self.sums[arm] += sum(kept)
            self.counts[arm] += len(kept)

    def mean(self, arm: int) -> float | None:
        """The estimate of an arm, None where it was never played."""
        return self.sums[arm] / self.counts[arm] if self.counts[arm] else None

    @property
    def means(self) -> tuple[float | None, ...]:
        """The estimates of all arms."""
        return tuple(self.mean(arm) for arm in range(self.arms))

    def best(self, arms: Sequence[int], keep: int) -> list[int]:
        """The `keep` arms of the highest mean, best first; among equals the earlier one, unplayed ones last."""

        def rank(arm: int) -> float:
            mean = self.mean(arm)
            return math.inf if mean is None else -mean

        return sorted(arms, key=rank)[:keep]


@dataclass(frozen=True, slots=True)
class Ranking:
    """`best` arms, the best one first, and the estimate of every arm (None: never played)."""

    best: tuple[int, ...]
    means: tuple[float | None, ...]


class Selection(Protocol):
    """A way to find the best arms."""

    async def run(self, arms: int, rows: int, keep: int, play: Play, rng: random.Random) -> Ranking:
        """Play some of `arms` on some of `rows` until the best `keep` can be told."""

    def pairs(self, arms: int, rows: int, keep: int, most: bool) -> int:
        """(arm, row) pairs that `run` asks for, at most or expected; one that comes again is answered from the journal
        and counts once."""


def ucb_score(mean: float | None, count: int, t: int, c: float) -> float:
    """Upper confidence bound: mean + c · √(ln t / n); infinite for an arm that was never played."""
    if mean is None or count == 0:
        return math.inf
    return mean + c * math.sqrt(math.log(t) / count)


@dataclass(frozen=True, slots=True)
class Ucb:
    """UCB in batches: a round plays the `prompts` arms of the highest bound on `samples` rows drawn for the round.

    t counts rounds from 1 (`clock="rounds"`, APO) or the values so far (`"samples"`, APE's bandit); n counts values.
    Arms that were never played come first, in a random order. (In the code t starts at 0 and an unplayed arm has a
    mean of 0, so that the second round plays the first round's arms again; that is not copied.)
    """

    rounds: int
    prompts: int
    samples: int
    c: float = 1.0
    clock: Literal["rounds", "samples"] = "rounds"

    async def run(self, arms: int, rows: int, keep: int, play: Play, rng: random.Random) -> Ranking:
        """`rounds` rounds; the budget is rounds · prompts · samples."""
        scores = ArmScores(arms)
        order = rng.sample(range(arms), arms)
        for number in range(1, self.rounds + 1):
            t = number if self.clock == "rounds" else max(1, sum(scores.counts))
            bounds = {arm: ucb_score(scores.mean(arm), scores.counts[arm], t, self.c) for arm in order}
            chosen = sorted(order, key=lambda arm: -bounds[arm])[: self.prompts]
            drawn = rng.sample(range(rows), min(rows, self.samples))
            scores.add(chosen, await play(chosen, drawn))
        return Ranking(tuple(scores.best(range(arms), keep)), scores.means)

    def pairs(self, arms: int, rows: int, keep: int, most: bool) -> int:
        """Rows are drawn anew in every round, so the k-th draw is expected to leave the same share of rows untouched.
        Expected is as if the plays were spread evenly; the good arms are played more often, and so repeat more."""
        played, drawn = min(arms, self.prompts), min(rows, self.samples)
        asked = min(self.rounds * played * drawn, arms * rows)
        if most:
            return asked
        times = self.rounds * played / arms
        touched: float = 1 - (1 - drawn / rows) ** times
        return min(asked, round(arms * rows * touched))


def rejection_schedule(arms: int, keep: int, budget: int, least: int = 4) -> list[int]:
    """New values an arm in each phase of successive rejects; a phase ends with one arm less, down to `keep`.

    n_k = ⌈(B − K) / (log-bar(K) · (K + 1 − k))⌉ with log-bar(K) = ½ + Σ 1/i for i = 2..K (Audibert and Bubeck 2010);
    phase k plays n_k − n_(k−1) values, and never less than `least`. K is the number of arms. (The code takes the arms
    over `keep` in its place, and so spends more than the budget; that is not copied.)
    """
    log_bar = 0.5 + sum(1 / i for i in range(2, arms + 1))
    schedule: list[int] = []
    before = 0
    for k in range(1, arms - keep + 1):
        until = math.ceil(max(0, budget - arms) / (log_bar * (arms + 1 - k)))
        schedule.append(max(least, until - before))
        before = until
    return schedule


@dataclass(frozen=True, slots=True)
class SuccessiveRejects:
    """One arm, the one of the lowest mean so far, is dropped a phase until the wanted ones remain."""

    budget: int
    least: int = 4

    async def run(self, arms: int, rows: int, keep: int, play: Play, rng: random.Random) -> Ranking:
        """As many phases as arms are to be dropped; see `rejection_schedule`."""
        scores, alive, deck = ArmScores(arms), list(range(arms)), _Deck(rows, rng)
        for samples in rejection_schedule(arms, keep, self.budget, self.least):
            scores.add(alive, await play(alive, deck.draw(samples)))
            alive = sorted(scores.best(alive, len(alive) - 1))
        return Ranking(tuple(scores.best(alive, keep)), scores.means)

    def pairs(self, arms: int, rows: int, keep: int, most: bool) -> int:
        """All arms alive in every phase."""
        phases = enumerate(rejection_schedule(arms, keep, self.budget, self.least))
        return min(arms * rows, sum((arms - gone) * min(samples, rows) for gone, samples in phases))


@dataclass(frozen=True, slots=True)
class SuccessiveHalving:
    """The better half of the arms lives on, ⌈log₂ arms⌉ times or until the wanted ones remain.

    Every phase spends the same: budget / (arms alive · ⌈log₂ arms⌉) rows an arm.
    """

    budget: int

    async def run(self, arms: int, rows: int, keep: int, play: Play, rng: random.Random) -> Ranking:
        """At least one row an arm and phase."""
        scores, alive, deck = ArmScores(arms), list(range(arms)), _Deck(rows, rng)
        phases = math.ceil(math.log2(arms)) if arms > 1 else 0
        for _ in range(phases):
            if len(alive) <= keep:
                break
            samples = max(1, self.budget // (len(alive) * phases))
            scores.add(alive, await play(alive, deck.draw(samples)))
            alive = sorted(scores.best(alive, max(keep, math.ceil(len(alive) / 2))))
        return Ranking(tuple(scores.best(alive, keep)), scores.means)

    def pairs(self, arms: int, rows: int, keep: int, most: bool) -> int:
        """All arms alive in every phase."""
        asked, alive, phases = 0, arms, (arms - 1).bit_length()
        for _ in range(phases):
            if alive <= keep:
                break
            asked += alive * min(rows, max(1, self.budget // (alive * phases)))
            alive = max(keep, math.ceil(alive / 2))
        return min(asked, arms * rows)


@dataclass(frozen=True, slots=True)
class BruteForce:
    """Every arm on the same rows, as many as the budget allows."""

    budget: int

    async def run(self, arms: int, rows: int, keep: int, play: Play, rng: random.Random) -> Ranking:
        """At least one row an arm."""
        scores = ArmScores(arms)
        drawn = rng.sample(range(rows), max(1, min(rows, self.budget // arms)))
        scores.add(range(arms), await play(range(arms), drawn))
        return Ranking(tuple(scores.best(range(arms), keep)), scores.means)

    def pairs(self, arms: int, rows: int, keep: int, most: bool) -> int:
        """Every arm on as many rows as the budget allows."""
        return arms * max(1, min(rows, self.budget // arms))


class _Deck:
    """Rows in a random order; a row comes again only when all have come."""

    def __init__(self, rows: int, rng: random.Random) -> None:
        self._rows, self._rng = rows, rng
        self._left: list[int] = []

    def draw(self, n: int) -> list[int]:
        """`n` rows; all of them, each once, where `n` is more."""
        n = min(n, self._rows)
        drawn = self._left[:n]
        self._left = self._left[n:]
        if len(drawn) < n:
            fresh = self._rng.sample(range(self._rows), self._rows)
            more = [row for row in fresh if row not in drawn][: n - len(drawn)]
            self._left = [row for row in fresh if row not in more]
            drawn += more
        return drawn
