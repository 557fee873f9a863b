"""One trial on a machine of a Ray cluster: in the driver's folder where it is shared, else in one whose files go back.

Runs on the worker. `ray_pool` carries the call and its answer.
"""

from __future__ import annotations

import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gpo.errors import GPOError
from gpo.paths import home
from gpo.suites.execution.archive import Parcel, pack, unpack
from gpo.suites.execution.job import Trial, TrialResult, run_trial
from gpo.suites.execution.pool import GO_ON


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A file in the driver's folder: a machine that finds it under the same path shares that folder."""

    path: str
    token: str

    def is_seen(self) -> bool:
        """Whether this machine has it."""
        try:
            return Path(self.path).read_text(encoding="utf-8") == self.token
        except (OSError, UnicodeDecodeError):
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a task gives back: `result` None where it needs the files of an earlier attempt, which were not sent along;
    `files` where the machine does not share the driver's folder; `store` names the store of calls of its run."""

    result: TrialResult | None
    store: str
    files: Parcel | None = None


Earlier = Callable[[], Parcel] | None
"""Fetches the files of an earlier attempt, of which there may be none; None where they are not at hand."""


def carry_out(trial: Trial, out: str, mark: Mark, earlier: Earlier, limit: int) -> Returned:
    """Run `trial` into `out` where `mark` is seen. Elsewhere go on with the files that `earlier` fetches, and send back
    what the run directory then holds (`limit` bytes at most; more stays on the machine, and the result says so)."""
    store = store_name()
    if mark.is_seen():
        return Returned(result=run_trial(trial, Path(out), signals=True), store=store)
    if earlier is None:
        return Returned(result=None, store=store)
    slot = Path(tempfile.mkdtemp(prefix="gpo-trial-"))
    directory = slot / trial.run_dir
    ran = False
    try:
        result = _go_on(trial, slot, earlier, limit)
        ran = True
        with _ignore_interrupts():
            files = pack(directory, limit)
    except GPOError as error:
        where = f" (it is kept on {socket.gethostname()})" if ran else ""
        return Returned(result=report_failure(trial, f"{error}{where}"), store=store)
    shutil.rmtree(slot, ignore_errors=True)
    return Returned(result=result, store=store, files=files)


def _go_on(trial: Trial, slot: Path, earlier: Callable[[], Parcel], limit: int) -> TrialResult:
    try:
        if files := earlier():
            unpack(files, slot / trial.run_dir, limit)
        return run_trial(trial, slot, signals=True)
    except KeyboardInterrupt:
        # It came while no call was under way. What is there goes back all the same.
        return TrialResult(slug=trial.slug, run_dir=trial.run_dir, status="interrupted", reason=GO_ON)


@contextmanager
def _ignore_interrupts() -> Iterator[None]:
    """No Ctrl-C on the last stretch: what was paid for would be lost with this machine."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)


def store_name() -> str:
    """The store of calls of whoever calls this: its machine and its folder."""
    return f"{socket.gethostname()}:{home().resolve()}"


def report_failure(trial: Trial, reason: str) -> TrialResult:
    """The result of a trial that `reason` kept from ending."""
    return TrialResult(slug=trial.slug, run_dir=trial.run_dir, status="failed", reason=reason[:500])
