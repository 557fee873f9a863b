"""One process's work on a run: its models with their layers, the search, the held-out test, the result.

Puts together what the files beside it offer. Run directory and lock are those of `gpo.run.optimize`.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from gpo.evaluation.agreement import Agreement, describe_agreement, measure_agreement
from gpo.evaluation.score import Scorer
from gpo.model.factory import RoleName
from gpo.model.model import Reply
from gpo.model.prices import Cost
from gpo.optimizer.templates import Templates
from gpo.optimizer.workbench import Workbench
from gpo.result.result import Result, Status
from gpo.run.compose import compose
from gpo.run.embeddings import LateEmbedder
from gpo.run.estimate.probe import probe, probe_request
from gpo.run.held_out_test import HeldOutTest, score_held_out
from gpo.run.journal_writer import PROGRAM, SPLIT_LEVEL, JournalWriter
from gpo.run.layers.budget import SAVED, Budget
from gpo.run.layers.shutdown import Shutdown
from gpo.run.layers.single_flight import SingleFlight
from gpo.run.listeners import Listeners
from gpo.run.plan import Plan
from gpo.run.programs.part_use import PartUse
from gpo.run.progress import Progress
from gpo.run.replay.recorded_grades import RecordedGrades
from gpo.run.replay.recorded_scores import RecordedScores
from gpo.run.replay.reuse_answers import open_reused_run
from gpo.run.summary import limits, summary
from gpo.run.watcher import Watcher, Watchers
from gpo.storage.journal import Journal
from gpo.storage.shared_store import SharedStore


class Work:
    """The parts of one process's work on a run, put together."""

    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        shared: SharedStore | None,
        shutdown: Shutdown,
        progress: Progress,
        watcher: Watcher | None = None,
        fork: Path | None = None,
        kept: str = SAVED,
    ) -> None:
        self._plan, self._journal = plan, journal
        watchers = Watchers(watcher)
        self._fork = open_reused_run(fork, journal)
        opened = plan.models
        costs: dict[str, Cost] = {role: model.cost for role, model in opened.items()}
        self.budget = Budget(plan.budget, costs, journal, shutdown, kept=kept)
        flights = SingleFlight[Reply]()
        self.models = {
            role: compose(
                model,
                role,
                journal=journal,
                budget=self.budget,
                shared=shared,
                fork=self._fork,
                flights=flights,
                note=watchers.note,
            )
            for role, model in opened.items()
        }
        self.scorer = Scorer(
            plan.task,
            self.models["task"].model,
            plan.scorer,
            judge=self.models["judge"].model if "judge" in self.models else None,
            on_stop=shutdown.stop_and_wait,
        )
        self._watchers, self._on_stop = watchers, shutdown.stop_and_wait
        self._agreement: Agreement | None = None
        self._part_use = PartUse(plan.task, journal)
        self._listeners = Listeners(
            plan, self.models, self.scorer, JournalWriter(journal), progress, watchers, self._part_use
        )
        self.scorer.on_outcome = self._listeners.outcome
        self.scorer.recall = RecordedScores(
            journal,
            plan.task,
            " judged by ".join(self.models[role].model.identity for role in self._scoring),
            self._count_recorded,
            self._listeners.recalled,
        )
        self.scorer.recall_grade = RecordedGrades(journal)
        if plan.task.program is not None:
            journal.put_meta(PROGRAM, plan.task.program.name)
        if plan.task.metric.over_split is not None:
            journal.put_meta(SPLIT_LEVEL, plan.task.metric.name)
        self._embedder = LateEmbedder(
            journal, self.models["embedder"].model if "embedder" in self.models else None
        )
        self._search = plan.search(plan, self.models, self._workbench(), self._listeners)
        self._test = HeldOutTest()

    async def search(self) -> None:
        """The optimization itself."""
        self._listeners.search_started(self._search)
        try:
            if tried := probe_request(self._plan):
                await probe(self.models["optimizer"].journaled, tried, self._journal)
            self._agreement = await measure_agreement(self._plan.task, self.scorer.grader, self._on_stop)
            if self._agreement and (line := describe_agreement(self._agreement.to_dict())):
                self._watchers.note(line)
            await self._search.run(self._plan.prompt)
        finally:
            self._listeners.refresh()
        self._listeners.search_finished(self._search)

    async def score_test(self) -> None:
        """Score the initial and the best prompt on the test split, the only time that it is read."""
        if not self._plan.task.splits.test:
            return
        best = self._search.best
        self._listeners.test_started(best)
        try:
            self._test = await score_held_out(self.scorer, self._plan.prompt, best, seed=self._plan.seed)
        finally:
            self._listeners.refresh()

    def result(self, status: Status, *, stopped: str = "") -> Result:
        """The result so far; `stopped` is why the run ended before its first step."""
        return summary(
            status,
            plan=self._plan,
            models=self.models,
            budget=self.budget,
            scorer=self.scorer,
            search=self._search,
            test=self._test,
            embedder=self._embedder.name,
            agreement=self._agreement,
            stopped=stopped,
            unused=self._part_use.lines,
        )

    def close(self) -> None:
        """Write down what the budget knows, how often calls were tried again and which limits made them wait; leave
        the other run's journal."""
        if retries := {role: model.retries for role, model in self.models.items() if model.retries}:
            self._journal.put_event("retries", retries)
        met = limits(self.models)
        if any(used["backoffs"] or used["waited_seconds"] for used in met.values()):
            self._journal.put_event("limits", met)
        self.budget.close()
        if self._fork:
            self._fork.close()

    @property
    def _scoring(self) -> list[RoleName]:
        """The roles whose calls a score rests on."""
        return [role for role in self.models if role in ("task", "judge")]

    def _count_recorded(self, keys: Collection[str]) -> None:
        for role in self._scoring:
            self.models[role].journaled.count_recorded(keys)

    def _workbench(self) -> Workbench:
        plan = self._plan
        own = plan.base_dir / plan.optimize.meta_prompt if plan.optimize.meta_prompt else None
        return Workbench(
            task=plan.task,
            scorer=self.scorer,
            optimizer=self.models["optimizer"].model,
            templates=Templates(own, plan.layout),
            embed=self._embedder,
            seed=plan.seed,
            temperature=plan.temperature,
            max_tokens=plan.max_tokens,
        )
