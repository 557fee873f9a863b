"""What an arm is given: task, start prompt, endpoint, budget, seed, and where it may write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.proof.endpoint import Endpoint, at
from benchmarks.proof.own import models_at
from benchmarks.proof.proxy import CountingProxy
from gpo.task.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of an arm on `task`, whose splits are dealt. `recency`: there is no embedder here. `workers` runs go on
    at once: where they are several, seconds are no measure of an arm."""

    name: str
    task: Task
    start: str
    endpoint: Endpoint
    proxy: CountingProxy
    calls: int
    seed: int
    folder: Path
    recency: bool = False
    workers: int = 1

    def at_role(self, role: str) -> Endpoint:
        """The endpoint as the role "task", "optimizer" or "test" of this run: each is counted apart."""
        return at(self.endpoint, self.proxy.url(self.name, role))

    @property
    def models(self) -> dict[str, dict[str, Any]]:
        """Both roles for a configuration."""
        urls = {role: self.proxy.url(self.name, role) for role in ("task", "optimizer")}
        return models_at(at(self.endpoint, urls["task"]), urls)
