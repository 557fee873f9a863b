"""Searches of this project, run the way a user runs them: a method's name, a start prompt, two models."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gpo
from benchmarks.proof.asking import Used
from benchmarks.proof.endpoint import Endpoint
from gpo.errors import ModelError
from gpo.evaluation.race import pairs
from gpo.model.embedder import open_embedder
from gpo.optimizer.methods import METHODS
from gpo.result.result import Result
from gpo.storage.journal_reader import JournalReader
from gpo.task.task import Task

CANDIDATES = 6
PLUS = "gpo+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How an arm searches: `method` as a configuration says it, all of dev or a race, `candidates` a step (0: one step
    with as many as the calls cover), `steps` (None: as many as they cover)."""

    method: str | Mapping[str, Any]
    racing: bool = True
    candidates: int = CANDIDATES
    steps: int | None = None

    @property
    def plus(self) -> bool:
        """Whether it plans its own budget."""
        return self.method == PLUS or (not isinstance(self.method, str) and self.method.get("name") == PLUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a search found and used until its end. `test` are the values of its prompt on the held-out rows, None where
    nobody asked yet."""

    prompt: str
    dev: float | None
    task: Used
    optimizer: Used
    seconds: float
    test: tuple[float | None, ...] | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


def no_embedder() -> str | None:
    """Why `trajectory: relevance` has no embedder here, None where it has one."""
    try:
        asyncio.run(open_embedder())
    except ModelError as error:
        return str(error)
    except ImportError as error:
        return f"no embedder is installed ({error})"
    return None


def without_embedder(search: Search) -> Search:
    """`search` with the trajectory by recency in place of relevance; gpo+ does so by itself."""
    if search.method != "gpo":
        return search
    row = METHODS["gpo"].model_copy(update={"trajectory": "recency"})
    return replace(search, method=row.model_dump())


def candidates_for(search: Search, calls: int, dev: int) -> int:
    """Candidates a step."""
    return search.candidates or max(1, calls // dev - 1)


def steps_for(search: Search, calls: int, dev: int) -> int:
    """Steps whose calls come to about `calls` with that many dev rows: rounded up, so that no arm of ours has an
    advantage from a smaller one of its rivals."""
    candidates = candidates_for(search, calls, dev)
    a_step = pairs(candidates, dev) if search.racing else candidates * dev
    return max(1, -(-(calls - dev) // a_step))


def run_search(
    search: Search,
    task: Task,
    start: str,
    endpoints: Mapping[str, dict[str, Any]],
    *,
    calls: int,
    seed: int,
    run_dir: Path,
) -> Outcome:
    """Run or go on with `search` in `run_dir`; it never sees the test split. Raises `GPOError`."""
    sealed = replace(task, splits=replace(task.splits, test=()))
    dev = len(task.splits.dev)
    method: Any = dict(search.method) if isinstance(search.method, Mapping) else search.method
    options: dict[str, Any] = {}
    if search.plus:
        method = {**({"name": PLUS} if isinstance(method, str) else method), "budget": calls}
    else:
        options = {
            "optimize": {
                "epochs": search.steps or steps_for(search, calls, dev),
                "batch_size": len(task.splits.train),
                "candidates": candidates_for(search, calls, dev),
                # A start prompt that cannot be read is what some tasks begin with, for every arm.
                "keep_going": True,
            },
            "evaluation": "racing" if search.racing else "full",
        }
    result = gpo.optimize(
        sealed, models=endpoints, prompt=start, method=method, seed=seed, run_dir=run_dir, **options
    )
    return read_outcome(run_dir / "journal.sqlite", result)


def read_outcome(journal: Path, result: Result) -> Outcome:
    """What `result` and the journal of its run, which had no test split, come to."""
    used = {"task": Used(), "optimizer": Used()}
    with JournalReader(journal) as reader:
        for line in reader.ledger():
            used[line.role].add(line.role == "task", line.prompt_tokens, line.completion_tokens)
        # One call of the optimizer may bring several completions, and peers ask for one at a time.
        used["optimizer"].calls = sum(len(c.reply.texts) for c in reader.calls() if c.role == "optimizer")
    kept = {name: result.extra[name] for name in ("embedder", PLUS) if name in result.extra}
    return Outcome(
        prompt=result.best_prompt,
        dev=result.scores.best.dev,
        task=used["task"],
        optimizer=used["optimizer"],
        seconds=result.seconds,
        notes={**kept, "steps": len(result.steps), "status": result.status},
    )


def models_at(endpoint: Endpoint, urls: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """Both roles at `endpoint`, each at its own address where `urls` gives one."""
    return {role: endpoint.role(role, (urls or {}).get(role)) for role in ("task", "optimizer")}
