"""Who is told how a run goes on: the journal, whoever watches, and the numbers that a display reads.

Changes nothing that the search sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from gpo.evaluation.outcome import Outcome
from gpo.model.factory import RoleName
from gpo.model.tally import Tally
from gpo.optimizer.search import Search, StepRecord
from gpo.run.compose import RoleModel
from gpo.run.journal_writer import JournalWriter
from gpo.run.plan import Plan
from gpo.run.progress import Progress


class Watcher(Protocol):
    """Is told how a run goes on."""

    def note(self, line: str) -> None:
        """A warning or a piece of news, one line."""

    def step_finished(self, record: StepRecord) -> None:
        """A step is over."""


class Listeners:
    """Listens to the search and the scorer of `plan`, whose calls `models` (by role) make."""

    def __init__(
        self,
        plan: Plan,
        models: Mapping[RoleName, RoleModel],
        writer: JournalWriter,
        progress: Progress,
        watcher: Watcher | None,
    ) -> None:
        self._plan, self._models = plan, models
        self._writer, self._progress, self._watcher = writer, progress, watcher
        progress.limits = {role: model.sending.limited for role, model in models.items()}

    def search_started(self, search: Search) -> None:
        """The initial prompt is scored next."""
        progress, splits = self._progress, self._plan.task.splits
        self._steps, self._pairs_a_step = search.total, search.pairs_a_step
        progress.steps = search.total
        progress.pairs_planned = (
            len(splits.dev) + search.total * search.pairs_a_step + self._test_pairs(prompts=2)
        )
        progress.phase = "scoring the initial prompt"
        self._writer.prompt(self._plan.prompt)
        self._writer.examples("dev", self._plan.task)

    def step_started(self, step: int, total: int, limit: int | None, best_score: float) -> None:
        """Listener of the search."""
        self._writer.step_started(step)
        progress = self._progress
        progress.phase = "optimizing"
        progress.step, progress.limit, progress.best_score = step, limit, best_score
        if progress.initial_score is None:
            progress.initial_score = best_score

    def step_finished(self, record: StepRecord) -> None:
        """Listener of the search."""
        self._progress.best_score = record.best_score
        for item in record.candidates:
            if item.rejected is None:
                self._writer.prompt(item.prompt)
        self._writer.step(record)
        if self._watcher:
            self._watcher.step_finished(record)
        left = (self._steps - record.step - 1) * self._pairs_a_step + self._test_pairs(prompts=2)
        # Rejected and repeated candidates need no scoring: the plan follows what was really asked for.
        self._progress.pairs_planned = self._progress.pairs_done + max(0, left)

    def test_started(self, best: str) -> None:
        """The initial and the best prompt are scored on test next."""
        self._progress.phase = "scoring the held-out test set"
        self._writer.examples("test", self._plan.task)
        if self._watcher:
            for line in self._plan.task.test_warnings:
                self._watcher.note(line)
        remaining = self._test_pairs(prompts=len({self._plan.prompt, best}))
        self._progress.pairs_planned = self._progress.pairs_done + remaining

    def outcome(self, prompt: str, split: str, index: int, outcome: Outcome) -> None:
        """Listener of the scorer."""
        self._writer.outcome(prompt, split, outcome)
        self.recalled(1)

    def recalled(self, pairs: int) -> None:
        """So many scores are there, be it from an earlier process of the run."""
        progress = self._progress
        progress.pairs_done += pairs
        task, optimizer = self._models["task"].journaled, self._models["optimizer"].journaled
        used = (task.tally, optimizer.tally)
        progress.calls = sum(tally.calls for tally in used)
        progress.cached = sum(tally.cached for tally in used)
        progress.replayed = task.replayed + optimizer.replayed
        progress.tokens = sum(tally.prompt_tokens + tally.completion_tokens for tally in used)
        progress.saved_tokens = sum(
            tally.saved_prompt_tokens + tally.saved_completion_tokens for tally in used
        )
        progress.retries = self._models["task"].retries + self._models["optimizer"].retries
        progress.usd = self._usd(*used)

    def _usd(self, task: Tally, optimizer: Tally) -> float | None:
        costs = [self._plan.task_model.cost(task), self._plan.optimizer_model.cost(optimizer)]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    def _test_pairs(self, *, prompts: int) -> int:
        return prompts * len(self._plan.task.splits.test)
