"""Trials on this machine: one after another in this process, or side by side in a pool of processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from gpo.config.load import parse_config
from gpo.errors import Interrupted
from gpo.suites.execution.job import Trial, TrialResult, run_trial

GO_ON = "interrupted; run the same command again to go on"


@dataclass(frozen=True, slots=True)
class InProcessExecutor:
    """Runs trials into `out` one after another in this process."""

    out: Path

    def run(self, trials: Sequence[Trial], on_finish: Callable[[TrialResult], None]) -> None:
        """See `Executor`. Raises `ConfigError` before the first run where a model cannot be had."""
        check_models(trials)
        for trial in trials:
            result = run_trial(trial, self.out, signals=True)
            on_finish(result)
            if result.status == "interrupted":
                raise Interrupted(GO_ON)


@dataclass(frozen=True, slots=True)
class PoolExecutor:
    """Runs trials into `out` in `workers` processes, each with an event loop of its own. They are spawned and not
    forked: an engine or a thread of this process must not be copied."""

    out: Path
    workers: int

    def run(self, trials: Sequence[Trial], on_finish: Callable[[TrialResult], None]) -> None:
        """See `Executor`. A worker that dies costs the trials that were under way: they are told as
        failed, and a new pool goes on with the others. Raises `ConfigError` as `InProcessExecutor` does."""
        check_models(trials)
        left = list(trials)
        while left:
            left = self._round(left, on_finish)

    def _round(self, trials: Sequence[Trial], on_finish: Callable[[TrialResult], None]) -> list[Trial]:
        """One life of the pool; returns the trials that were not begun when a worker died."""
        context = multiprocessing.get_context("spawn")
        waiting = list(reversed(trials))
        under_way: dict[Future[TrialResult], Trial] = {}
        stopped = False
        pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin)
        try:
            stopped = self._carry_out(pool, waiting, under_way, on_finish)
        except BrokenProcessPool:
            pass
        except KeyboardInterrupt:
            stopped = True
        finally:
            # Workers got the same signal from the terminal: they finish what is in flight and save.
            pool.shutdown(wait=True, cancel_futures=True)
        # Whatever the pool came to: trials that ended before are whole, the others went down with it.
        for future, trial in under_way.items():
            if future.cancelled():
                continue
            result = _read_result(future, trial)
            if result is not None:
                on_finish(result)
            elif not stopped:
                on_finish(_report_lost(trial))
        if stopped:
            raise Interrupted(GO_ON)
        return list(reversed(waiting))

    def _carry_out(
        self,
        pool: ProcessPoolExecutor,
        waiting: list[Trial],
        under_way: dict[Future[TrialResult], Trial],
        on_finish: Callable[[TrialResult], None],
    ) -> bool:
        """From the end of `waiting` through `under_way`; whether a person stopped it. Raises `BrokenProcessPool` where
        a worker died, be it while another one's result was told."""
        stopped = False
        while under_way or (waiting and not stopped):
            # Only as many as run at once are handed over, so that it is known what a dead worker was doing.
            while waiting and len(under_way) < self.workers and not stopped:
                future = pool.submit(_in_worker, waiting[-1], self.out)
                under_way[future] = waiting.pop()
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                result = _read_result(future, under_way[future])
                if result is None:
                    raise BrokenProcessPool
                del under_way[future]
                stopped = stopped or result.status == "interrupted"
                on_finish(result)
        return stopped


def check_models(trials: Sequence[Trial]) -> None:
    """Raise the `ConfigError` that every run with one of the models of `trials` would end with: said once, before any
    begins."""
    from gpo.model.factory import check_settings

    checked = set()
    for trial in trials:
        models = parse_config(trial.config, source=trial.slug).models
        for role, settings in models.all_roles().items():
            key = (role, settings.model_dump_json(), trial.base_dir)
            if key not in checked:
                checked.add(key)
                check_settings(settings, role=role, base_dir=Path(trial.base_dir))


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()


def _in_worker(trial: Trial, out: Path) -> TrialResult:
    """`run_trial`, and no trace of an idle worker when Ctrl-C comes: what is under way hears it, the parent ends it."""
    try:
        result = run_trial(trial, out, signals=True)
    except KeyboardInterrupt:
        # It came while no call was under way.
        result = TrialResult(slug=trial.slug, run_dir=trial.run_dir, status="interrupted", reason=GO_ON)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return result


def die_with_parent() -> None:
    """End this process when the one that started it is gone, however it went: nobody would read the results, and the
    run directories would stay in use."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True, name="gpo-parent").start()


def _report_lost(trial: Trial) -> TrialResult:
    return TrialResult(
        slug=trial.slug,
        run_dir=trial.run_dir,
        status="failed",
        reason="its process, or one beside it, was killed; run the same command again to go on with it",
    )


def _read_result(future: Future[TrialResult], trial: Trial) -> TrialResult | None:
    """What became of `trial`, None where its worker died."""
    try:
        return future.result()
    except BrokenProcessPool:
        return None
    except Exception as error:
        return TrialResult(
            slug=trial.slug, run_dir=trial.run_dir, status="failed", reason=f"{type(error).__name__}: {error}"
        )
