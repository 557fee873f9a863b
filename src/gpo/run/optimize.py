"""A whole run in its directory: begun, gone on with, ended, and saved in every case.

Resuming is replay: the same code runs again and the journal answers what was asked before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gpo.config.load import parse_yaml
from gpo.errors import BudgetError, Interrupted, RunError, UnreadableReplies
from gpo.evaluation.score import TooManyFailures
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.run.embeddings import check_embedder
from gpo.run.gc_tuning import collect_seldom
from gpo.run.layers.budget import SAVED
from gpo.run.layers.shutdown import Shutdown
from gpo.run.plan import Plan
from gpo.run.progress import Progress
from gpo.run.watcher import Watcher, Watchers
from gpo.run.work import Work
from gpo.storage.journal import Journal
from gpo.storage.shared_store import SharedStore


@dataclass
class Run:
    """One run of `plan` in `directory`. `fork` is the directory of another run whose answers are used where the same
    calls are made again; `kept` says in the line of a `BudgetError` what becomes of the best prompt."""

    plan: Plan
    directory: RunDirectory
    progress: Progress = field(default_factory=Progress)
    watcher: Watcher | Sequence[Watcher] | None = None
    use_shared_store: bool = True
    fork: Path | None = None
    kept: str = SAVED

    def __post_init__(self) -> None:
        self._shutdown = Shutdown()
        self._watchers = Watchers(self.watcher)

    def stop(
        self, why: str = "interrupted; run the same command again to go on", grace: float | None = None
    ) -> None:
        """Let what is in flight finish for a few seconds (`grace`), save, and end `execute` with `Interrupted`. To be
        called in the event loop's thread."""
        self._shutdown.stop(Interrupted(why), grace)

    async def execute(self) -> Result:
        """Run to the end, or go on where an earlier process stopped; a complete run returns its result.

        Raises `GPOError` and `asyncio.CancelledError`; what was paid for is in the journal, and the best prompt so far
        in `best_prompt.txt`.
        """
        shared: SharedStore | None = None
        with self.directory:
            try:
                if self.directory.check(self.plan.recorded) == "complete":
                    result = self.directory.read_result()
                    assert result is not None
                    self.progress.phase = "done"
                    self._tell_start()
                    await self._tell_end(result)
                    return result
                check_embedder(self.plan.method, self.plan.embedder_model)
                journal = self.directory.open(self.plan.recorded, self.plan.config_text)
                shared = SharedStore.open(warn=self._watchers.note) if self.use_shared_store else None
                with collect_seldom():
                    return await self._execute(journal, shared)
            finally:
                await self.plan.aclose()
                if shared:
                    shared.close()

    async def _execute(self, journal: Journal, shared: SharedStore | None) -> Result:
        work = Work(
            self.plan, journal, shared, self._shutdown, self.progress, self._watchers, self.fork, self.kept
        )
        journal.start_session()
        self._tell_start()
        for warning in (*self.plan.task.warnings, *self.plan.warnings):
            self._watchers.note(warning)
        try:
            result = await self._carry_out(work, journal)
        except RunError as error:
            raise work.budget.explain(error) from error
        self.progress.phase = "done"
        return result

    async def _carry_out(self, work: Work, journal: Journal) -> Result:
        result: Result | None = None
        try:
            async with self._shutdown.guard(work.budget.seconds_left, work.budget.out_of_time):
                await work.search()
                await work.score_test()
            result = work.result("complete")
        except BudgetError as error:
            result = error.result = work.result("budget")
            raise
        except TooManyFailures:
            # What the next process asks again must not be what this one stumbled over.
            journal.forget_refusals()
            raise
        except (Interrupted, asyncio.CancelledError) as error:
            result = work.result("interrupted")
            if isinstance(error, Interrupted):
                error.result = result
            raise
        except UnreadableReplies as error:
            result = error.result = work.result("interrupted", stopped=str(error))
            raise
        finally:
            written: Result | None = None
            try:
                work.close()
                await journal.flush()
                if result is not None:
                    self.directory.write_result(result)
                written = result
            finally:
                await self._tell_end(written)
        return result

    def _tell_start(self) -> None:
        config, _ = parse_yaml(self.plan.config_text, "config.yaml")
        self._watchers.run_started(self.directory.path, config)

    async def _tell_end(self, result: Result | None) -> None:
        # A tracker sends files now, and other work of this loop must not wait for that.
        await asyncio.to_thread(self._watchers.run_finished, self.directory.path, result)
