"""The allocation of peers, as their papers and packages do it, in our own code."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from statistics import NormalDist

import numpy as np

from benchmarks.proof.table import Found, Replay, Rows, Spent


def gepa(replay: Replay) -> Found:
    """GEPA (L. Agrawal et al. 2025): a parent drawn from the Pareto pool of dev, a child that is better on three rows
    of train joins with all of dev. Parent and child both pay for the three rows, as the package does."""
    pool, batch = [replay.start], list[int]()
    with suppress(Spent):
        replay.ask(replay.start, replay.dev)
        for _ in range(100 * replay.budget):
            parent = _pareto_parent(replay, pool)
            if len(batch) < 3:
                batch = replay.rng.permutation(replay.train).tolist()
            rows, batch = batch[:3], batch[3:]
            before = _paid(replay, parent, rows)
            if before == len(rows):
                continue
            child = replay.child(parent)
            if _paid(replay, child, rows) > before:
                replay.ask(child, replay.dev)
                pool.append(child)
    return replay.best(replay.whole(pool), replay.dev)


def _paid(replay: Replay, prompt: int, rows: Rows) -> float:
    known = [row for row in rows if replay.seen[prompt, row]]
    replay.pay(len(known))
    return float(replay.ask(prompt, rows).sum())


def _pareto_parent(replay: Replay, pool: Sequence[int]) -> int:
    values = np.array([replay.values(prompt, replay.dev) for prompt in pool])
    leads = values == values.max(axis=0)
    alive = np.ones(len(pool), dtype=bool)
    for place in np.argsort(values.mean(axis=1)):
        # Whoever leads nowhere alone is dominated.
        alive[place] = False
        if not leads[alive].any(axis=0).all():
            alive[place] = True
    weights = leads.sum(axis=1) * alive
    return int(replay.rng.choice(pool, p=weights / weights.sum()))


def capo(
    replay: Replay, *, population: int = 6, children: int = 4, block: int = 8, alpha: float = 0.2
) -> Found:
    """CAPO's racing (T. Zehle et al. 2025): blocks of dev in random order; whoever `population` others beat by a paired
    test at `alpha` drops out, until so many are left."""
    people, met = [replay.start], [replay.start]
    bound = NormalDist().inv_cdf(1 - alpha)
    with suppress(Spent):
        while len(people) < population:
            people.append(replay.child(replay.start))
        alive = list(people)
        while True:
            met = list(dict.fromkeys([*met, *alive]))
            rows = replay.rng.permutation(replay.dev).tolist()
            seen: list[int] = []
            for first in range(0, len(rows), block):
                part = rows[first : first + block]
                for prompt in alive:
                    replay.ask(prompt, part)
                seen += part
                alive = _not_beaten(replay, alive, seen, population, bound)
                if len(alive) <= population:
                    break
            people = sorted(alive, key=lambda prompt: -replay.mean(prompt, replay.dev))[:population]
            alive = [*people, *(replay.child(int(replay.rng.choice(people))) for _ in range(children))]
    asked = [prompt for prompt in people if replay.mean(prompt) >= 0] or [replay.start]
    return replay.best(asked, replay.dev)


def _not_beaten(replay: Replay, alive: list[int], rows: Rows, population: int, bound: float) -> list[int]:
    values = np.array([replay.values(prompt, rows) for prompt in alive])
    beaten = []
    for own in values:
        gaps = values - own
        error = gaps.std(axis=1, ddof=1) / math.sqrt(len(rows)) + 1e-9
        beaten.append(int((gaps.mean(axis=1) / error > bound).sum()))
    return [prompt for prompt, count in zip(alive, beaten, strict=True) if count < population]
