"""A whole run: models wrapped in journal and store, the loop, the sealed test, the result.

Resuming is replay: the same code runs again and the journal answers what was asked before.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from gpo.errors import BudgetError
from gpo.evaluation.score import Outcome, Scorer
from gpo.evaluation.statistics import p_value, paired_bootstrap
from gpo.optimizer.candidates import Guard
from gpo.optimizer.loop import Loop, StepRecord
from gpo.optimizer.templates import Templates
from gpo.optimizer.workbench import Workbench
from gpo.run.directory import RunDirectory
from gpo.run.embeddings import remembered
from gpo.run.journal import Journal
from gpo.run.notes import Notebook, step_summary
from gpo.run.plan import Plan
from gpo.run.progress import Progress
from gpo.run.recorder import Journaled
from gpo.run.result import Improvement, Result, RoleUsage, RunUsage, Scores, SplitScores, Status
from gpo.run.store import SharedStore
from gpo.task.prompt import placeholders

EMBEDDER = "embedder"


class Watcher(Protocol):
    """Is told how a run goes on."""

    def note(self, line: str) -> None:
        """A warning or a piece of news, one line."""

    def step_finished(self, record: StepRecord) -> None:
        """A step is over."""


@dataclass
class Run:
    """One run of `plan` in `directory`; `shared` is the user's store of deterministic calls, None for none."""

    plan: Plan
    directory: RunDirectory
    progress: Progress = field(default_factory=Progress)
    watcher: Watcher | None = None
    use_shared_store: bool = True

    async def execute(self) -> Result:
        """Run to the end, or go on where an earlier process stopped; a complete run returns its result.

        Raises `GPOError` and `asyncio.CancelledError`; what was paid for is in the journal, and the best prompt so far
        in `best_prompt.txt`.
        """
        state = self.directory.check(self.plan.recorded)
        if state == "complete":
            result = self.directory.read_result()
            assert result is not None
            self.progress.phase = "done"
            return result
        with self.directory:
            journal = self.directory.open(self.plan.recorded, self.plan.config_text)
            shared = SharedStore.open(warn=self._note) if self.use_shared_store else None
            try:
                return await self._execute(journal, shared)
            finally:
                await _close([self.plan.task_model.model, self.plan.optimizer_model.model])
                if shared:
                    shared.close()

    async def _execute(self, journal: Journal, shared: SharedStore | None) -> Result:
        journal.start_session()
        for warning in self.plan.task.warnings:
            self._note(warning)
        work = _Work(self, journal, shared)
        result: Result | None = None
        try:
            await work.search()
            await work.open_test()
            result = work.result("complete")
        except BudgetError:
            result = work.result("budget")
            raise
        except asyncio.CancelledError:
            result = work.result("interrupted")
            raise
        finally:
            await journal.flush()
            if result is not None:
                self.directory.write_result(result)
        self.progress.phase = "done"
        return result

    def _note(self, line: str) -> None:
        if self.watcher:
            self.watcher.note(line)


class _Work:
    """The parts of one process's work on a run, put together."""

    def __init__(self, run: Run, journal: Journal, shared: SharedStore | None) -> None:
        plan = run.plan
        self.run, self.plan, self.journal = run, plan, journal
        self.progress = run.progress
        self.notebook = Notebook(journal)
        self.task_model = _journaled(plan.task_model, journal, "task", shared)
        self.optimizer_model = _journaled(plan.optimizer_model, journal, "optimizer", shared)
        self.scorer = Scorer(plan.task, self.task_model, plan.scorer, on_outcome=self._on_outcome)
        self.embedder: str | None = None
        own = plan.base_dir / plan.optimize.meta_prompt if plan.optimize.meta_prompt else None
        bench = Workbench(
            task=plan.task,
            scorer=self.scorer,
            optimizer=self.optimizer_model,
            templates=Templates(own),
            embed=self._embed,
            seed=plan.seed,
            temperature=plan.temperature,
            max_tokens=plan.max_tokens,
        )
        self.loop = Loop(plan.method, bench, _guard(plan), plan.loop, listener=self)
        self.tested: dict[str, float] = {}
        self.improvement = Improvement()
        self._remembered: Callable[[Sequence[str]], Awaitable[list[list[float]]]] | None = None

    async def search(self) -> None:
        """The optimization itself."""
        settings, dev, test = self.plan.loop, len(self.plan.task.splits.dev), len(self.plan.task.splits.test)
        self.progress.steps = settings.steps
        self.progress.pairs_planned = dev * (1 + settings.steps * settings.candidates) + 2 * test
        self.progress.phase = "scoring the initial prompt"
        self.notebook.prompt(self.plan.prompt)
        await self.loop.run(self.plan.prompt)

    async def open_test(self) -> None:
        """Score the initial and the best prompt on the test split, the only time that it is read."""
        if not self.plan.task.splits.test:
            return
        self.progress.phase = "opening the test split"
        initial, best = self.plan.prompt, self.loop.best
        prompts = list(dict.fromkeys([initial, best]))
        remaining = len(prompts) * len(self.plan.task.splits.test)
        self.progress.pairs_planned = self.progress.pairs_done + remaining
        before, after = (await self.scorer.score([initial, best], "test"))[:2]
        excluded = self.scorer.excluded("test")
        pairs = [
            (b, a)
            for i, (b, a) in enumerate(zip(before.values, after.values, strict=True))
            if i not in excluded and b is not None and a is not None
        ]
        self.tested = {initial: self.scorer.mean(before), best: self.scorer.mean(after)}
        old, new = [b for b, _ in pairs], [a for _, a in pairs]
        gain = paired_bootstrap(old, new, seed=self.plan.seed)
        self.improvement = Improvement(
            test=gain.mean, ci_low=gain.low, ci_high=gain.high, p_value=p_value(old, new, seed=self.plan.seed)
        )

    def result(self, status: Status) -> Result:
        """The result so far."""
        initial = self.plan.prompt
        scored = self.scorer.known(initial, "dev") is not None
        best = self.loop.best if scored else initial
        return Result(
            status=status,
            initial_prompt=initial,
            best_prompt=best,
            scores=Scores(
                initial=SplitScores(
                    dev=self.loop.mean(initial) if scored else None, test=self.tested.get(initial)
                ),
                best=SplitScores(dev=self.loop.mean(best) if scored else None, test=self.tested.get(best)),
            ),
            improvement=self.improvement,
            steps=tuple(step_summary(record) for record in self.loop.steps),
            usage=RunUsage(
                task=RoleUsage(**self.task_model.usage()),  # type: ignore[arg-type]
                optimizer=RoleUsage(**self.optimizer_model.usage()),  # type: ignore[arg-type]
            ),
            seconds=round(self.journal.seconds(), 3),
            seed=self.plan.seed,
            versions=versions(),
            extra=self._extra(),
        )

    def step_started(self, step: int, total: int, limit: int | None, best_score: float) -> None:
        """Listener of the loop."""
        progress = self.progress
        progress.phase, progress.step, progress.limit, progress.best_score = (
            "optimizing",
            step,
            limit,
            best_score,
        )
        if progress.initial_score is None:
            progress.initial_score = best_score

    def step_finished(self, record: StepRecord) -> None:
        """Listener of the loop."""
        self.progress.best_score = record.best_score
        for item in record.candidates:
            if item.rejected is None:
                self.notebook.prompt(item.prompt, record.step)
        self.notebook.step(record)
        if self.run.watcher:
            self.run.watcher.step_finished(record)
        done = (record.step + 1) * self.plan.loop.candidates + 1
        dev, test = len(self.plan.task.splits.dev), len(self.plan.task.splits.test)
        left = dev * (self.plan.loop.steps * self.plan.loop.candidates + 1 - done) + 2 * test
        # Rejected and repeated candidates need no scoring: the plan follows what was really asked for.
        self.progress.pairs_planned = self.progress.pairs_done + max(0, left)

    def _on_outcome(self, prompt: str, split: str, index: int, outcome: Outcome) -> None:
        self.notebook.outcome(prompt, split, outcome)
        progress = self.progress
        progress.pairs_done += 1
        task, optimizer = self.task_model.tally, self.optimizer_model.tally
        progress.calls = task.calls + optimizer.calls
        progress.cached = task.cached + optimizer.cached
        progress.replayed = self.task_model.replayed + self.optimizer_model.replayed
        progress.tokens = sum(t.prompt_tokens + t.completion_tokens for t in (task, optimizer))
        costs = [self.plan.task_model.cost(task), self.plan.optimizer_model.cost(optimizer)]
        progress.usd = None if None in costs else sum(cost for cost in costs if cost is not None)

    async def _embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The embedder is opened at the first need and named in the journal: a resumed run uses the same one."""
        if self._remembered is None:
            from gpo.model.embedder import open_embedder

            recorded: str | None = self.journal.get_meta(EMBEDDER)
            opened = None if recorded else await open_embedder(None)
            self.embedder = recorded or (opened.name if opened else "")
            self.journal.put_meta(EMBEDDER, self.embedder)

            async def embed(missing: Sequence[str]) -> list[list[float]]:
                nonlocal opened
                # A replay that finds every vector in the journal never gets here and loads nothing.
                opened = opened or await open_embedder(recorded)
                return await opened.embed(missing)

            self._remembered = remembered(embed, self.embedder, self.journal)
        return await self._remembered(texts)

    def _extra(self) -> dict[str, Any]:
        dev = self.scorer.known(self.loop.best, "dev") if self.loop.steps else None
        return {
            "method": self.plan.method.name,
            "models": {"task": self.task_model.identity, "optimizer": self.optimizer_model.identity},
            "embedder": self.embedder,
            "rows": {
                name: len(self.plan.task.examples(name))
                for name in ("train", "dev", "test", "format", "demos")
            },
            "unreadable_dev_replies_of_best": dev.unreadable if dev else None,
            "excluded_examples": {name: len(self.scorer.excluded(name)) for name in ("dev", "test")},
            "warnings": list(self.plan.task.warnings),
        }


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("gpo", "xllamacpp", "aiohttp", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


async def execute(
    plan: Plan, run_dir: Path, *, progress: Progress | None = None, watcher: Watcher | None = None
) -> Result:
    """Run `plan` in `run_dir`; see `Run.execute`."""
    return await Run(plan, RunDirectory(run_dir), progress or Progress(), watcher).execute()


def _journaled(opened: Any, journal: Journal, role: str, shared: SharedStore | None) -> Journaled:
    return Journaled(opened.model, journal, role, shared if opened.shareable else None, cost=opened.cost)


def _guard(plan: Plan) -> Guard:
    task = plan.task
    rows = [
        f"{example.input} {task.target_text(example)}"
        for name in ("train", "dev", "format", "demos")
        for example in task.examples(name)
    ]
    return Guard(
        examples=rows,
        required=placeholders(plan.prompt),
        answers=task.answer_texts,
        initial=plan.prompt,
        max_words=plan.optimize.max_words,
    )


async def _close(models: Sequence[Any]) -> None:
    for model in {id(model): model for model in models}.values():
        await model.aclose()
