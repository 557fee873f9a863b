"""Whole optimizations on the simulated landscape, in this process and without a wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpo.evaluation.score import Scorer
from gpo.model.model import Reply, Request
from gpo.optimizer.candidates import Guard
from gpo.optimizer.loop import Loop, LoopSettings
from gpo.optimizer.methods import build_method
from gpo.optimizer.templates import Templates
from gpo.optimizer.workbench import Workbench
from gpo.task.task import Task
from tests.support.landscape import VOCABULARY, Landscape

START = "amber anchor apple"


class LandscapeModel:
    """The landscape behind the model protocol; counts what it answers."""

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


def scorer(landscape: Landscape, dev: int) -> tuple[Scorer, LandscapeModel]:
    """A scorer of prompts on `landscape` with `dev` rows, and the task model that counts its calls."""
    rows = {"train": landscape.rows(48), "dev": landscape.rows(dev, 100), "test": landscape.rows(10, 200)}
    task = Task.from_rows(rows, answer={"kind": "label", "labels": ["left", "right"]})
    model = LandscapeModel(landscape)
    return Scorer(task, model), model


@dataclass(frozen=True, slots=True)
class Climb:
    """What one optimization found (true accuracy of its best prompt) and the task calls it took."""

    accuracy: float
    calls: int


async def climb(name: str, landscape: Landscape, settings: LoopSettings, *, dev: int) -> Climb:
    """Optimize with the method called `name`."""
    examined, model = scorer(landscape, dev)
    bench = Workbench(
        task=examined.task,
        scorer=examined,
        optimizer=LandscapeModel(landscape),
        templates=Templates(),
        embed=embed,
        seed=landscape.seed,
    )
    found = await Loop(build_method(name), bench, Guard(), settings).run(START)
    return Climb(landscape.accuracy(found.best), model.calls)
