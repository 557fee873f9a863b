"""Allocation rules, each a search on a `Replay`: which prompts meet which rows, and which prompt is handed out.

Rules of peers follow what their papers or packages do, in our own code. Knows no model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from statistics import NormalDist

import numpy as np

from benchmarks.proof.plus_rule import plus
from benchmarks.proof.table import Found, Replay, Rows, Spent

Rule = Callable[[Replay], Found]

CANDIDATES = 6


def full(replay: Replay) -> Found:
    """The paper's loop: all candidates of a step on all of dev, the best of them is the next current prompt."""
    scored = [replay.start]
    with suppress(Spent):
        replay.ask(replay.start, replay.dev)
        current = replay.start
        while True:
            step = []
            for _ in range(CANDIDATES):
                child = replay.child(current)
                replay.ask(child, replay.dev)
                step.append(child)
                scored.append(child)
            current = replay.best(step, replay.dev).prompt
    return replay.best(_whole(replay, scored), replay.dev)


def racing(replay: Replay) -> Found:
    """GPO's race (docs/racing.md): a sixth of dev for all candidates of a step, on the rows where the last complete
    prompts differ most; the best third on all of dev."""
    complete = [replay.start]
    with suppress(Spent):
        replay.ask(replay.start, replay.dev)
        current = replay.start
        while True:
            step = [replay.child(current) for _ in range(CANDIDATES)]
            order = replay.rng.permutation(replay.dev)
            variance = np.array([replay.values(p, order.tolist()) for p in complete[-6:]]).var(axis=0)
            rows = order[np.argsort(-variance, kind="stable")].tolist()
            heat = rows[: max(4, len(rows) // 6)]
            for child in step:
                replay.ask(child, heat)
            ranked = sorted(step, key=lambda child: -replay.mean(child, heat))
            finalists = ranked[: max(2, -(-CANDIDATES // 3))]
            for child in finalists:
                replay.ask(child, replay.dev)
                complete.append(child)
            current = replay.best(finalists, replay.dev).prompt
    return replay.best(_whole(replay, complete), replay.dev)


def halving(replay: Replay) -> Found:
    """Successive halving over all steps (ASHA, L. Li et al. 2020, with one worker): rungs of 4, 8, 16 … rows of train
    and dev; the better half of a rung goes on, and where nobody can, a child of the furthest best joins."""
    rows = replay.rng.permutation([*replay.train, *replay.dev]).tolist()
    rungs = [4]
    while rungs[-1] * 2 < len(rows):
        rungs.append(rungs[-1] * 2)
    rungs.append(len(rows))
    reached: dict[int, int] = {}

    def score(prompt: int, rung: int) -> float:
        return replay.mean(prompt, rows[: rungs[rung]])

    def climb(prompt: int, rung: int) -> None:
        replay.ask(prompt, rows[: rungs[rung]])
        reached[prompt] = rung

    def next_up() -> tuple[int, int] | None:
        for rung in range(len(rungs) - 2, -1, -1):
            here = sorted((p for p in reached if reached[p] >= rung), key=lambda p: -score(p, rung))
            waiting = [prompt for prompt in here[: len(here) // 2] if reached[prompt] == rung]
            if waiting:
                return waiting[0], rung + 1
        return None

    with suppress(Spent):
        climb(replay.start, 0)
        while True:
            if found := next_up():
                climb(*found)
            else:
                climb(replay.child(_furthest(reached, score)), 0)
    best = _furthest(reached, score)
    return Found(best, score(best, reached[best]))


def _furthest(reached: dict[int, int], score: Callable[[int, int], float]) -> int:
    top = max(reached.values())
    return max((p for p in reached if reached[p] == top), key=lambda p: score(p, top))


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
    return replay.best(_whole(replay, pool), replay.dev)


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


def ucb(replay: Replay, *, block: int = 4, width: float = 0.5) -> Found:
    """UCB over blocks of train and dev; as many arms as the square root of what can be pulled, each new one a child of
    the best so far."""
    rows = replay.rng.permutation([*replay.train, *replay.dev]).tolist()
    pulled = {replay.start: 0}
    wanted = 1.5 * math.sqrt(replay.budget / block)

    def pull(prompt: int) -> None:
        replay.ask(prompt, rows[: min(pulled[prompt] + block, len(rows))])
        pulled[prompt] = min(pulled[prompt] + block, len(rows))

    with suppress(Spent):
        pull(replay.start)
        for turn in range(2, 10**6):
            open_ = [prompt for prompt in pulled if pulled[prompt] < len(rows)]
            if len(pulled) < wanted or not open_:
                prompt = replay.child(max(pulled, key=replay.mean))
                pulled[prompt] = 0
            else:
                log = math.log(turn)
                prompt = max(open_, key=lambda p: replay.mean(p) + width * math.sqrt(log / max(1, pulled[p])))
            pull(prompt)
    most = max(pulled.values())
    return replay.best([prompt for prompt in pulled if pulled[prompt] >= 0.75 * most])


def best_of_n(replay: Replay) -> Found:
    """Children of the start prompt, each on all of dev, until the budget is spent."""
    scored = [replay.start]
    with suppress(Spent):
        replay.ask(replay.start, replay.dev)
        while True:
            child = replay.child(replay.start)
            replay.ask(child, replay.dev)
            scored.append(child)
    return replay.best(_whole(replay, scored), replay.dev)


def _whole(replay: Replay, prompts: Sequence[int]) -> list[int]:
    """Those of `prompts` that met all of dev; the start prompt where none did."""
    return [prompt for prompt in prompts if replay.seen[prompt, replay.dev].all()] or [replay.start]


RULES: dict[str, Rule] = {
    "racing": racing,
    "full dev each step": full,
    "successive halving over steps": halving,
    "GEPA's acceptance and Pareto pool": gepa,
    "CAPO's racing": capo,
    "UCB": ucb,
    "best of n": best_of_n,
    "gpo+": plus,
}
"""By the name that the tables give; the first is what the others are compared with."""
