"""One process's work on a run: models wrapped in journal, budget and brake, the search, the sealed test, the result.

Composes what the floors below offer. Knows no run directory and no lock: that is `gpo.run.optimize`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from gpo.evaluation.outcome import Outcome
from gpo.evaluation.score import Scorer
from gpo.evaluation.statistics import p_value, paired_bootstrap
from gpo.model.factory import OpenModel
from gpo.model.layers.complete_n import CompleteNModel
from gpo.optimizer.candidates import Guard
from gpo.optimizer.choose import algorithm
from gpo.optimizer.search import Algorithm, StepRecord
from gpo.optimizer.templates import Templates
from gpo.optimizer.workbench import Workbench
from gpo.result.result import Improvement, Result, Status
from gpo.run.embeddings import LateEmbedder
from gpo.run.journal_writer import JournalWriter
from gpo.run.layers.budget import SAVED, Budget, BudgetedModel
from gpo.run.layers.journaled import JournaledModel
from gpo.run.layers.shutdown import Shutdown, StoppableModel
from gpo.run.plan import Plan
from gpo.run.progress import Progress
from gpo.run.recorded_scores import RecordedScores
from gpo.run.reuse_answers import open_reused_run
from gpo.run.summary import summary
from gpo.storage.journal import Journal
from gpo.storage.shared_store import SharedStore
from gpo.task.prompt import placeholders


class Watcher(Protocol):
    """Is told how a run goes on."""

    def note(self, line: str) -> None:
        """A warning or a piece of news, one line."""

    def step_finished(self, record: StepRecord) -> None:
        """A step is over."""


class Work:
    """The parts of one process's work on a run, put together."""

    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        shared: SharedStore | None,
        brake: Shutdown,
        progress: Progress,
        watcher: Watcher | None = None,
        fork: Path | None = None,
        kept: str = SAVED,
    ) -> None:
        self.plan, self.journal = plan, journal
        self.progress, self.watcher = progress, watcher
        self.notebook = JournalWriter(journal)
        self.fork = open_reused_run(fork, journal)
        roles = {"task": plan.task_model, "optimizer": plan.optimizer_model}
        progress.limits = {role: opened.limited for role, opened in roles.items()}
        costs = {role: opened.cost for role, opened in roles.items()}
        self.budget = Budget(plan.budget, costs, journal, brake, kept=kept)
        self.task_model = self._journaled("task", plan.task_model, shared)
        self.optimizer_model = self._journaled("optimizer", plan.optimizer_model, shared)
        self.scorer = Scorer(
            plan.task, self.task_model, plan.scorer, on_outcome=self._on_outcome, on_stop=brake.stop
        )
        self.scorer.recall = RecordedScores(
            journal, plan.task, self.task_model.identity, self.task_model.count_recorded, self._on_recalled
        )
        self.embedder = LateEmbedder(journal)
        own = plan.base_dir / plan.optimize.meta_prompt if plan.optimize.meta_prompt else None
        bench = Workbench(
            task=plan.task,
            scorer=self.scorer,
            optimizer=CompleteNModel(self.optimizer_model),
            templates=Templates(own),
            embed=self.embedder,
            seed=plan.seed,
            temperature=plan.temperature,
            max_tokens=plan.max_tokens,
        )
        self.loop: Algorithm = algorithm(plan.method, bench, _guard(plan), plan.loop, listener=self)
        self.tested: dict[str, float] = {}
        self.improvement = Improvement()

    def _journaled(self, role: str, opened: OpenModel, shared: SharedStore | None) -> JournaledModel:
        """Journal outside; then the brake, the retries, the limit, and the budget around each attempt."""
        opened.limited.around(lambda model: BudgetedModel(model, self.budget, role))
        model = StoppableModel(opened.model, self.budget.brake)
        return JournaledModel(
            model, self.journal, role, shared if opened.shareable else None, cost=opened.cost, fork=self.fork
        )

    def close(self) -> None:
        """Write down what the budget knows, how often calls were tried again and which limits made them wait; leave
        the other run's journal."""
        if retries := self.retries():
            self.journal.put_event("retries", retries)
        limits = self.limits()
        if any(used["backoffs"] or used["waited_seconds"] for used in limits.values()):
            self.journal.put_event("limits", limits)
        self.budget.close()
        if self.fork:
            self.fork.close()

    async def search(self) -> None:
        """The optimization itself."""
        dev, test = len(self.plan.task.splits.dev), len(self.plan.task.splits.test)
        self.progress.steps = self.loop.total
        self.progress.pairs_planned = dev + self.loop.total * self.loop.pairs_a_step + 2 * test
        self.progress.phase = "scoring the initial prompt"
        self.notebook.prompt(self.plan.prompt)
        self.notebook.examples("dev", self.plan.task)
        await self.loop.run(self.plan.prompt)

    async def open_test(self) -> None:
        """Score the initial and the best prompt on the test split, the only time that it is read."""
        if not self.plan.task.splits.test:
            return
        self.progress.phase = "opening the test split"
        self.notebook.examples("test", self.plan.task)
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
        return summary(self, status)

    def step_started(self, step: int, total: int, limit: int | None, best_score: float) -> None:
        """Listener of the loop."""
        self.notebook.step_started(step)
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
                self.notebook.prompt(item.prompt)
        self.notebook.step(record)
        if self.watcher:
            self.watcher.step_finished(record)
        steps = self.loop.total - record.step - 1
        left = steps * self.loop.pairs_a_step + 2 * len(self.plan.task.splits.test)
        # Rejected and repeated candidates need no scoring: the plan follows what was really asked for.
        self.progress.pairs_planned = self.progress.pairs_done + max(0, left)

    def _on_outcome(self, prompt: str, split: str, index: int, outcome: Outcome) -> None:
        self.notebook.outcome(prompt, split, outcome)
        self._on_recalled(1)

    def _on_recalled(self, pairs: int) -> None:
        progress = self.progress
        progress.pairs_done += pairs
        task, optimizer = self.task_model.tally, self.optimizer_model.tally
        progress.calls = task.calls + optimizer.calls
        progress.cached = task.cached + optimizer.cached
        progress.replayed = self.task_model.replayed + self.optimizer_model.replayed
        progress.tokens = sum(t.prompt_tokens + t.completion_tokens for t in (task, optimizer))
        progress.saved_tokens = sum(
            t.saved_prompt_tokens + t.saved_completion_tokens for t in (task, optimizer)
        )
        progress.retries = sum(self.retries().values())
        costs = [self.plan.task_model.cost(task), self.plan.optimizer_model.cost(optimizer)]
        progress.usd = None if None in costs else sum(cost for cost in costs if cost is not None)

    def retries(self) -> dict[str, int]:
        """Calls that this process tried again, by role, where there were any."""
        opened = {"task": self.plan.task_model, "optimizer": self.plan.optimizer_model}
        counts = {role: model.retrying.retries if model.retrying else 0 for role, model in opened.items()}
        return {role: count for role, count in counts.items() if count}

    def limits(self) -> dict[str, dict[str, Any]]:
        """What this process saw of the limits, by role."""
        opened = {"task": self.plan.task_model, "optimizer": self.plan.optimizer_model}
        return {role: model.limited.state.to_dict() for role, model in opened.items()}


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
        columns=frozenset(name for example in task.examples("train") for name in example.fields) | {"input"},
        frozen=plan.optimize.frozen,
    )
