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
from gpo.errors import BudgetError, ModelError
from gpo.evaluation.race import pairs
from gpo.model.embedder import open_embedder
from gpo.optimizer.choose import NAMES
from gpo.optimizer.methods import METHODS
from gpo.result.result import Result
from gpo.run.journal_writer import prompt_id
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

    @property
    def known(self) -> bool:
        """Whether this version of the project has the method."""
        name = self.method if isinstance(self.method, str) else self.method.get("name")
        return name is None or name in NAMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a search found and used until its end (its sealed test, where it has one, is not in `used`). `test` are the
    values of its sealed test by row, None where it had none."""

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
    """`search` with the trajectory by recency in place of relevance."""
    if search.method == "gpo":
        row = METHODS["gpo"].model_copy(update={"trajectory": "recency"})
        return replace(search, method=row.model_dump())
    if search.plus:
        given = {"name": PLUS} if isinstance(search.method, str) else dict(search.method)
        return replace(search, method={**given, "trajectory": "recency"})
    return search


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
    """Run or go on with `search` in `run_dir`. gpo+ opens the test split itself, since its prompt may be more than a
    text; all others end before it. Raises `GPOError`."""
    sealed = task if search.plus else replace(task, splits=replace(task.splits, test=()))
    dev = len(task.splits.dev)
    steps = search.steps or steps_for(search, calls, dev)
    options: dict[str, Any] = {
        "optimize": {
            "epochs": steps,
            "batch_size": len(task.splits.train),
            "candidates": candidates_for(search, calls, dev),
        },
        "evaluation": "racing" if search.racing else "full",
    }
    if search.plus:
        options = {"budget": {"max_calls": calls}}
    method: Any = dict(search.method) if isinstance(search.method, Mapping) else search.method
    try:
        result = gpo.optimize(
            sealed, models=endpoints, prompt=start, method=method, seed=seed, run_dir=run_dir, **options
        )
    except BudgetError as error:
        if not isinstance(error.result, Result):
            raise
        result = error.result
    return read_outcome(run_dir / "journal.sqlite", result, sealed)


def read_outcome(journal: Path, result: Result, task: Task) -> Outcome:
    """What `result` and the journal of its run come to."""
    with JournalReader(journal) as reader:
        tested = {key for score in reader.scores(split="test") for key in score.calls}
        values = {s.example_id: s.value for s in reader.scores(prompt_id(result.best_prompt), "test")}
        used = {"task": Used(), "optimizer": Used()}
        span = [0.0, 0.0]
        for line in reader.ledger():
            if line.key in tested:
                until = line.started + line.seconds
                span = [min(span[0] or line.started, line.started), max(span[1], until)]
                continue
            used[line.role].add(line.role == "task", line.prompt_tokens, line.completion_tokens)
        # One call of the optimizer may bring several completions, and peers ask for one at a time.
        used["optimizer"].calls = sum(len(c.reply.texts) for c in reader.calls() if c.role == "optimizer")
    whole = values and all(example.id in values for example in task.splits.test)
    return Outcome(
        prompt=result.best_prompt,
        dev=result.scores.best.dev,
        task=used["task"],
        optimizer=used["optimizer"],
        seconds=result.seconds - (span[1] - span[0]),
        test=tuple(values[example.id] for example in task.splits.test) if whole else None,
        notes={"embedder": result.extra.get("embedder"), "steps": len(result.steps), "status": result.status},
    )


def models_at(endpoint: Endpoint, urls: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """Both roles at `endpoint`, each at its own address where `urls` gives one."""
    return {role: endpoint.role(role, (urls or {}).get(role)) for role in ("task", "optimizer")}
