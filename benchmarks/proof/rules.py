"""Allocation rules, each a search on a `Replay`: which prompts meet which rows, and which prompt is handed out.

Those of peers stand in `peer_rules`, gpo+'s in `plus_rule`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import numpy as np

from benchmarks.proof.peer_rules import capo, gepa
from benchmarks.proof.plus_rule import POOL_ONLY, plus
from benchmarks.proof.table import Found, Replay, Spent

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
    return replay.best(replay.whole(scored), replay.dev)


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
    return replay.best(replay.whole(complete), replay.dev)


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
    return replay.best(replay.whole(scored), replay.dev)


RULES: dict[str, Rule] = {
    "racing": racing,
    "full dev each step": full,
    "successive halving over steps": halving,
    "GEPA's acceptance and Pareto pool": gepa,
    "CAPO's racing": capo,
    "UCB": ucb,
    "best of n": best_of_n,
    "gpo+": plus,
    "gpo+ by plain means": partial(plus, settings=POOL_ONLY.model_copy(update={"posterior": False})),
    "gpo+ without the duel": partial(plus, settings=POOL_ONLY.model_copy(update={"duel": False})),
    "gpo+ on random rows": partial(plus, settings=POOL_ONLY.model_copy(update={"discriminative": False})),
}
"""By the name that the tables give; the first is what the others are compared with."""
