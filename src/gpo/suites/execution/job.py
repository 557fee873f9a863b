"""One trial of a suite, and what carries out many of them: this process, a pool of processes, or another machine park.

A trial is plain data that any process can be sent.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from gpo.errors import BudgetError, GPOError, Interrupted, RunError

if TYPE_CHECKING:
    from gpo.result.result import Result
    from gpo.run.directory import RunDirectory
    from gpo.run.optimize import Run

CellStatus = Literal["complete", "budget", "interrupted", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run of a suite; picklable. `config` is the configuration as JSON values, `run_dir` its folder
    under the suite's, with `/`; relative paths in `config` start from `base_dir`, the rows of benchmarks lie in
    `data_dir` where it is given. `max_calls` and `max_tokens` are the
    equal budget of the search (see `gpo.suites.execution.equal_budget`)."""

    slug: str
    config: dict[str, Any] = field(hash=False)
    run_dir: str
    base_dir: str = "."
    data_dir: str | None = None
    max_calls: int | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """How a trial ended; its numbers are in its run directory. `reason` is one line where the trial failed, or where
    many of its replies were no use; `seconds` is the wall time of this attempt. A trial that the budget stopped is
    finished: its best prompt so far was tested."""

    slug: str
    run_dir: str
    status: CellStatus
    reason: str = ""
    seconds: float = 0.0

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.status in ("complete", "budget")


class Executor(Protocol):
    """Carries out trials, in any order and anywhere."""

    def run(self, trials: Sequence[Trial], on_finish: Callable[[TrialResult], None]) -> None:
        """Run all of `trials` into the folder that the executor was made for; `on_finish` is called in the caller's
        thread, once a trial. A trial that fails is told as failed and the others go on. Raises `Interrupted` where a
        person stopped it, after which the same call goes on."""


def run_trial(trial: Trial, out: Path, *, signals: bool = False) -> TrialResult:
    """Run `trial` in this process under `out`, or go on with it where an earlier process stopped.

    Raises nothing but `KeyboardInterrupt`: what went wrong is in the result. With `signals` (main thread only) the
    first Ctrl-C or order to end lets calls in flight finish and saves; the second one leaves at once.
    """
    started = time.monotonic()
    status: CellStatus = "failed"
    reason = ""
    try:
        status, reason = _carry_out(trial, out, signals=signals)
    except Interrupted as error:
        status, reason = "interrupted", str(error)
    except GPOError as error:
        reason = str(error)
    except Exception as error:
        # A night of trials must not be lost to a bug in one of them; its trace is for whoever mends it.
        traceback.print_exc(file=sys.stderr)
        reason = f"unexpected {type(error).__name__}: {error}"
    return TrialResult(
        slug=trial.slug,
        run_dir=trial.run_dir,
        status=status,
        reason=" ".join(reason.split())[:500],
        seconds=round(time.monotonic() - started, 3),
    )


def _carry_out(trial: Trial, out: Path, *, signals: bool) -> tuple[CellStatus, str]:
    """How it ended, and what a person must know of its replies."""
    from gpo.config.load import parse_config
    from gpo.run.directory import RunDirectory
    from gpo.run.layout import keep_layout
    from gpo.run.optimize import Run
    from gpo.run.plan import assemble
    from gpo.suites.execution.equal_budget import Cap, cap_plan
    from gpo.suites.execution.final_test import build_test_run

    base, data = Path(trial.base_dir), None if trial.data_dir is None else Path(trial.data_dir)
    directory = out / trial.run_dir
    _check_whole(RunDirectory(directory))
    config = keep_layout(parse_config(trial.config, source=trial.slug), directory)
    try:
        cap = Cap(max_calls=trial.max_calls, max_tokens=trial.max_tokens)
        plan = assemble(config, base_dir=base, data_dir=data)
        # The trials of a suite share their optimizer and most dev answers: none pays for a call that only tries it,
        # which an equal budget would have to count too.
        plan = replace(plan, tries_optimizer=False)
        if cap:
            plan = cap_plan(plan, cap)
        result = _execute(Run(plan, RunDirectory(directory)), signals=signals)
        return "complete", "; ".join(result.extra.get("reply_warnings") or ())
    except BudgetError:
        _execute(build_test_run(config, directory, base_dir=base, data_dir=data), signals=signals)
        return "budget", ""


def _check_whole(directory: RunDirectory) -> None:
    """Raises `RunError` for a result without the answers behind it: to run over it would lose the best prompt."""
    if directory.result_path.exists() and not directory.journal_path.exists():
        raise RunError(
            f"{directory.path}: has a result and no {directory.journal_path.name}; put that back, or remove the folder "
            "to run it anew"
        )


def _execute(run: Run, *, signals: bool) -> Result:
    """`run` in an event loop of its own."""

    async def main() -> Result:
        if signals and sys.platform != "win32" and threading.current_thread() is threading.main_thread():
            came = False

            def handle() -> None:
                nonlocal came
                if came:
                    os._exit(130)
                came = True
                run.stop()

            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, handle)
        return await run.execute()

    return asyncio.run(main())
