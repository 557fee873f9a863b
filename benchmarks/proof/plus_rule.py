"""gpo+'s allocation on a `Replay`: generations on telling rows, a posterior that chooses, a last duel.

Library, edits and demonstrations are not replayed: the pool stands for all proposals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from math import log2

import numpy as np

from benchmarks.proof.posterior import Estimate, Plan, Posterior, plan, rasch
from benchmarks.proof.table import Found, Replay, Spent

STALE = 4
"""Generations without a new best of the run after which the search goes back to that best."""


def plus(
    replay: Replay,
    *,
    posterior: Posterior = rasch,
    sizes: Callable[[int, int], Plan] = plan,
    telling: bool = True,
) -> Found:
    """The whole search. `telling` False asks rows in random order, as an ablation."""
    planned = sizes(replay.budget, len(replay.dev))
    whole, replay.budget = replay.budget, replay.budget - planned.duel
    with suppress(Spent):
        _generations(replay, planned, posterior, telling=telling)
    replay.budget = whole
    with suppress(Spent):
        _duel(replay, planned.finalists, posterior)
    found = estimate(replay, posterior)
    best = int(np.argmax(found.mean))
    return Found(best, found.accuracy(best))


def estimate(replay: Replay, posterior: Posterior) -> Estimate:
    """The posterior of what was asked so far; values that were not asked are hidden from it."""
    values = np.zeros(replay.seen.shape)
    for prompt in replay.drawn:
        rows, known = replay.known(prompt)
        values[prompt, rows] = known
    return posterior(values, replay.seen)


def _generations(replay: Replay, planned: Plan, posterior: Posterior, *, telling: bool) -> None:
    base = replay.rng.permutation(replay.dev).tolist()
    replay.ask(replay.start, base[: planned.first])
    current, stale = replay.start, 0
    while True:
        children = [replay.child(current) for _ in range(planned.children)]
        rows = base
        if telling and len(replay.drawn) > planned.children + 2:
            rows = telling_rows(estimate(replay, posterior), base, replay.rng)
        for child in children:
            replay.ask(child, rows[: planned.first])
        found = estimate(replay, posterior)
        for child in sorted(children, key=lambda child: -found.mean[child])[:2]:
            replay.ask(child, rows[: planned.second])
        found = estimate(replay, posterior)
        best = int(np.argmax(found.mean))
        stale = 0 if best in children else stale + 1
        current = max(children, key=lambda child: float(found.mean[child]))
        if stale >= STALE:
            current, stale = best, 0


def telling_rows(found: Estimate, rows: Sequence[int], rng: np.random.Generator) -> list[int]:
    """`rows` in the order of what they tell under the best prompt; rows that tell about the same in random order."""
    best = int(np.argmax(found.mean))
    told = np.round(found.information(best)[list(rows)], 2) + 1e-6 * rng.random(len(rows))
    return [rows[place] for place in np.argsort(-told)]


def _duel(replay: Replay, finalists: int, posterior: Posterior) -> None:
    """The run's best on rows of train and dev that they have not met, half of them dropping out each round."""
    rows = replay.rng.permutation([*replay.train, *replay.dev]).tolist()
    left = finalists
    while replay.left > 0 and left <= len(replay.drawn) + finalists:
        found = estimate(replay, posterior)
        top = np.argsort(-found.mean)[:left].tolist()
        open_ = [
            prompt for prompt in top if np.isfinite(found.mean[prompt]) and not replay.seen[prompt].all()
        ]
        if not open_:
            left += 2
            continue
        share = replay.left / max(1, int(log2(max(2, left)))) / len(open_)
        for prompt in open_:
            unmet = [row for row in rows if not replay.seen[prompt, row]]
            replay.ask(prompt, unmet[: max(4, int(share) // 4 * 4)])
        left = max(2, left // 2)
