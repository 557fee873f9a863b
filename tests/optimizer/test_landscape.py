"""The machinery climbs: on a simulated landscape, at equal calls, `gpo` beats `ape` and random search.

This checks that scores, trajectories and limits reach the optimizer and matter. It is no evidence about real models.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np

from gpo.evaluation.score import Scorer
from gpo.evaluation.statistics import paired_bootstrap
from gpo.model.model import Reply, Request
from gpo.optimizer.candidates import Guard
from gpo.optimizer.loop import Loop, LoopSettings
from gpo.optimizer.methods import method
from gpo.optimizer.templates import Templates
from gpo.optimizer.workbench import Workbench
from gpo.task.task import Task
from tests.support.landscape import VOCABULARY, Landscape

SEEDS = range(20)
STEPS, CANDIDATES, DEV = 12, 8, 40
START = "amber anchor apple"


class LandscapeModel:
    """The landscape behind the model protocol, without a wire; counts what it answers."""

    identity = "simulated"

    def __init__(self, landscape: Landscape) -> None:
        self.landscape = landscape
        self.calls = 0

    async def complete(self, request: Request) -> Reply:
        self.calls += request.n
        messages = [{"role": m.role, "content": m.content} for m in request.messages]
        bodies: list[dict[str, Any]] = [
            {"messages": messages, "seed": (request.seed or 0) + i} for i in range(request.n)
        ]
        return Reply(texts=tuple(self.landscape.answer(body) for body in bodies))

    async def aclose(self) -> None:
        pass


async def embed(texts: Sequence[str]) -> list[list[float]]:
    """Bags of words as unit vectors: prompts that share words are similar."""
    counts = (
        np.array([[text.split().count(word) for word in VOCABULARY] for text in texts], dtype=float) + 1e-9
    )
    unit: list[list[float]] = (counts / np.linalg.norm(counts, axis=1, keepdims=True)).tolist()
    return unit


def parts(seed: int) -> tuple[Landscape, Scorer, LandscapeModel]:
    landscape = Landscape(seed=seed, harmful=40, edits=40, reckless=0.3, free_words=20)
    rows = {"train": landscape.rows(48), "dev": landscape.rows(DEV, 100), "test": landscape.rows(10, 200)}
    task = Task.from_rows(rows, answer={"kind": "label", "labels": ["left", "right"]})
    model = LandscapeModel(landscape)
    return landscape, Scorer(task, model), model


async def optimized(name: str, seed: int) -> tuple[float, int]:
    """True accuracy of the best prompt that a method finds, and the task calls it took."""
    landscape, scorer, model = parts(seed)
    optimizer = LandscapeModel(landscape)
    bench = Workbench(
        task=scorer.task, scorer=scorer, optimizer=optimizer, templates=Templates(), embed=embed, seed=seed
    )
    loop = Loop(method(name), bench, Guard(), LoopSettings(steps=STEPS, candidates=CANDIDATES))
    found = await loop.run(START)
    return landscape.accuracy(found.best), model.calls


async def searched(seed: int) -> tuple[float, int]:
    """The same for random search: as many prompts of random words, the best on dev."""
    landscape, scorer, model = parts(seed)
    draw = Random(seed)
    prompts = [START]
    while len(prompts) < STEPS * CANDIDATES + 1:
        prompts.append(" ".join(draw.sample(VOCABULARY, draw.randint(3, 20))))
    scores = await scorer.score(prompts)
    return landscape.accuracy(max(scores, key=scorer.mean).prompt), model.calls


async def test_gpo_beats_ape_and_random_search_over_twenty_seeds() -> None:
    gpo = [await optimized("gpo", seed) for seed in SEEDS]
    ape = [await optimized("ape", seed) for seed in SEEDS]
    random = [await searched(seed) for seed in SEEDS]
    most = (STEPS * CANDIDATES + 1) * DEV
    assert all(0.9 * most <= calls <= most for _, calls in (*gpo, *ape, *random))
    for other in (ape, random):
        gain = paired_bootstrap([value for value, _ in other], [value for value, _ in gpo], seed=0)
        assert gain.low > 0, gain
