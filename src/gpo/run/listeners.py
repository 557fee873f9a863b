"""Who is told how a run goes on: the journal, whoever watches, and the numbers that a display reads.

Changes nothing that the search sees.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from gpo.errors import UnreadableReplies
from gpo.evaluation.outcome import Outcome
from gpo.evaluation.score import Scorer
from gpo.model.factory import RoleName
from gpo.optimizer.methods import Method
from gpo.optimizer.search import Search, StepRecord
from gpo.result.rejections import rejected_steps
from gpo.run.compose import RoleModel
from gpo.run.journal_writer import JournalWriter
from gpo.run.plan import Plan
from gpo.run.programs.part_use import PartUse
from gpo.run.progress import Progress
from gpo.run.watcher import Watcher

EARLY = 50
"""Replies after which a run says that many were no use, be the first prompt scored or not."""

_EVERY = 0.05  # seconds; a sum over all that was used, for each of thousands of pairs a second, would be seen


class Listeners:
    """Listens to the search and the `scorer` of `plan`, whose calls `models` (by role) make."""

    def __init__(
        self,
        plan: Plan,
        models: Mapping[RoleName, RoleModel],
        scorer: Scorer,
        writer: JournalWriter,
        progress: Progress,
        watcher: Watcher,
        part_use: PartUse,
    ) -> None:
        self._plan, self._models, self._scorer = plan, models, scorer
        self._writer, self._progress, self._watcher = writer, progress, watcher
        self._part_use = part_use
        self._told = False
        self._due = 0.0
        # Rows scored and their sum, by prompt and split, of those that are under way.
        self._partly: dict[tuple[str, str], tuple[int, list[float]]] = {}
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
        """Listener of the search. Raises `UnreadableReplies`."""
        if step == 0:
            self._check_start()
        self._tell_useless()
        self._writer.step_started(step)
        progress = self._progress
        progress.phase = "optimizing"
        progress.step, progress.limit, progress.best_score = step, limit, best_score
        if progress.initial_score is None:
            progress.initial_score = best_score
        self._watcher.step_started(step, total, limit, best_score)

    def step_finished(self, record: StepRecord) -> None:
        """Listener of the search."""
        self.refresh()
        self._progress.best_score = record.best_score
        for item in record.candidates:
            if item.rejected is None:
                self._writer.prompt(item.prompt)
        self._writer.step(record)
        self._watcher.step_finished(record)
        for line in self._part_use.step(record):
            self._watcher.note(line)
        left = (self._steps - record.step - 1) * self._pairs_a_step + self._test_pairs(prompts=2)
        # Rejected and repeated candidates need no scoring: the plan follows what was really asked for.
        self._progress.pairs_planned = self._progress.pairs_done + max(0, left)

    def search_finished(self, search: Search) -> None:
        """The test split is opened next."""
        self._tell_useless()
        if line := rejected_steps(search.steps, self._plan.max_tokens):
            self._watcher.note(line)

    def test_started(self, best: str) -> None:
        """The initial and the best prompt are scored on test next."""
        self.refresh()
        self._progress.phase = "scoring the held-out test set"
        self._writer.examples("test", self._plan.task)
        for line in self._plan.task.test_warnings:
            self._watcher.note(line)
        remaining = self._test_pairs(prompts=len({self._plan.prompt, best}))
        self._progress.pairs_planned = self._progress.pairs_done + remaining

    def outcome(self, prompt: str, split: str, index: int, outcome: Outcome) -> None:
        """Listener of the scorer."""
        self._writer.outcome(prompt, split, outcome)
        self._part_use.see(prompt, split, outcome)
        if split == "dev" and self._scorer.replies.count("dev") > EARLY:
            self._tell_useless()
        self.recalled(prompt, split, [outcome.value])

    def recalled(self, prompt: str, split: str, values: Sequence[float | None]) -> None:
        """So many scores of `prompt` are there, be it from an earlier process of the run; None is one that failed."""
        self._progress.pairs_done += len(values)
        self._count(prompt, split, values)
        if time.monotonic() >= self._due:
            self.refresh()

    def refresh(self) -> None:
        """Bring what was used so far up to date for a display; between pairs it may lag by `_EVERY`."""
        self._due = time.monotonic() + _EVERY
        progress = self._progress
        asked = [model.journaled for model in self._models.values()]
        used = [model.tally for model in asked]
        progress.calls = sum(tally.calls for tally in used)
        progress.cached = sum(tally.cached for tally in used)
        progress.replayed = sum(model.replayed for model in asked)
        progress.tokens = sum(tally.prompt_tokens + tally.completion_tokens for tally in used)
        progress.saved_tokens = sum(
            tally.saved_prompt_tokens + tally.saved_completion_tokens for tally in used
        )
        progress.retries = sum(model.retries for model in self._models.values())
        progress.usd = self._usd()
        replies = self._scorer.replies
        progress.replies, progress.useless = replies.count("dev"), replies.count_useless("dev")
        self._watcher.progressed(progress)

    def _count(self, prompt: str, split: str, values: Sequence[float | None]) -> None:
        """Say when the last example of a split is scored."""
        if split not in ("dev", "test"):
            return
        rows, known = self._partly.pop((prompt, split), (0, []))
        rows += len(values)
        known += [value for value in values if value is not None]
        if rows < len(self._plan.task.examples(split)):
            self._partly[(prompt, split)] = rows, known
            return
        self._progress.prompts_scored += split == "dev"
        if known:
            self._watcher.prompt_scored(prompt, split, sum(known) / len(known))

    def _check_start(self) -> None:
        """End the run where it could not tell a better prompt from a worse one."""
        plan = self._plan
        start = self._scorer.find_score(plan.prompt, "dev")
        answered = sum(value is not None for value in start.values) if start else 0
        if start is None or not answered or start.unreadable < answered or plan.optimize.keep_going:
            return
        if isinstance(plan.method, Method) or plan.method.needs_readable_start:
            why = "; ".join(self._scorer.replies.warnings("dev"))
            raise UnreadableReplies(
                f"{why}; no reply to the initial prompt could be read, so the run stopped before its first step: mend "
                "that and begin in another run directory, or go on all the same with --keep-going (optimize.keep_going)"
            )

    def _tell_useless(self) -> None:
        """Say once that many replies on dev are no use; the result has how many it were in the end."""
        if not self._told and (lines := self._scorer.replies.warnings("dev")):
            self._told = True
            for line in lines:
                self._watcher.note(line)

    def _usd(self) -> float | None:
        models = self._plan.models
        costs = [models[role].cost(model.journaled.tally) for role, model in self._models.items()]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    def _test_pairs(self, *, prompts: int) -> int:
        return prompts * len(self._plan.task.splits.test)
