"""Trials on a Ray cluster: one trial a task, and a lost worker's trial goes on elsewhere.

Ray is an extra and is not imported before it is used.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from gpo.errors import ConfigError, GPOError, Interrupted
from gpo.storage.shared_store import SharedStore
from gpo.suites.execution.archive import LIMIT, Parcel, merge_calls, pack, unpack
from gpo.suites.execution.job import Trial, TrialResult
from gpo.suites.execution.pool import GO_ON
from gpo.suites.execution.ray_cluster import connect, first_line, import_ray
from gpo.suites.execution.ray_task import Mark, Returned, carry_out, report_failure, store_name

_GRACE = 30.0  # seconds that trials get to save after Ctrl-C
_LOST = ("WorkerCrashedError", "NodeDiedError", "OwnerDiedError", "LocalRayletDiedError")


@dataclass(frozen=True, slots=True, kw_only=True)
class RayExecutor:
    """Runs trials into `out` on Ray at `address`: "local" starts it here, "auto" finds one that runs, else HOST:PORT or
    ray://HOST:PORT. Where Ray is already initialised in this process, that is used.

    Machines that see `out` under the same path write there, and a lost worker's trial goes on from its journal. Others
    work in a folder of their own, go on with what an earlier command left, and send the run directory back (`limit`
    bytes at most), after Ctrl-C too; there a trial whose worker is lost begins anew, with the answers that the
    machine's store has. `cpus` is what a trial takes of Ray's; `retries` is how often a trial that lost its worker
    is tried again. `shared` False sends run directories back from everywhere, as is needed on a shared file system
    that cannot lock files.
    """

    address: str
    out: Path
    cpus: float = 1.0
    retries: int = 3
    limit: int = LIMIT
    shared: bool = True

    def run(self, trials: Sequence[Trial], on_finish: Callable[[TrialResult], None]) -> None:
        """See `gpo.suites.execution.job.Executor`. Raises `ConfigError` where Ray or the cluster is not there."""
        ray = import_ray()
        # Ray tells of lost workers on stdout, which belongs to results.
        with (
            redirect_stdout(sys.stderr),
            connect(ray, self.address),
            _mark(self.out, self.shared) as mark,
            _own_store() as store,
        ):
            job = _Job(ray, self, mark, store, on_finish)
            try:
                job.submit(trials)
                job.wait()
            except KeyboardInterrupt:
                job.stop()
                raise Interrupted(GO_ON) from None


def _fetch(references: Sequence[Any]) -> Parcel:
    files: Parcel = import_ray().get(references[0])
    return files


def _task(trial: Trial, out: str, mark: Mark, references: Sequence[Any] | None, limit: int) -> Returned:
    """`references`: to the files of an earlier attempt, if there was one; None where they are not sent yet."""
    earlier = None if references is None else partial(_fetch, references) if references else dict
    return carry_out(trial, out, mark, earlier, limit)


class _Job:
    """The tasks of one call of `RayExecutor.run`."""

    def __init__(
        self,
        ray: Any,
        executor: RayExecutor,
        mark: Mark,
        store: SharedStore | None,
        on_finish: Callable[[TrialResult], None],
    ) -> None:
        self._ray = ray
        self._out = executor.out.resolve()
        self._limit = executor.limit
        self._retries = executor.retries
        self._shared = executor.shared
        self._mark = mark
        self._store = store
        self._on_finish = on_finish
        self._cells: dict[Any, Trial] = {}
        self._interruptions: dict[str, int] = {}
        self._task = ray.remote(_task).options(
            num_cpus=executor.cpus, max_retries=executor.retries, name="gpo trial"
        )

    def submit(self, trials: Sequence[Trial]) -> None:
        """Hand trials to Ray, which begins as many as it has room for."""
        for trial in trials:
            if not (self._out / trial.run_dir).is_dir():
                self._begin(trial, [])
            elif self._shared:
                # Only a machine that does not share the folder needs what is in it, and asks for it.
                self._begin(trial, None)
            else:
                self._send(trial)

    def _send(self, trial: Trial) -> None:
        """Hand `trial` over together with what an earlier attempt left."""
        try:
            # A reference within a list is fetched by whoever asks for it: machines that share the folder do not.
            references = [self._ray.put(pack(self._out / trial.run_dir, self._limit))]
        except GPOError as error:
            self._on_finish(report_failure(trial, str(error)))
            return
        self._begin(trial, references)

    def _begin(self, trial: Trial, references: Sequence[Any] | None) -> None:
        task = self._task.remote(trial, str(self._out), self._mark, references, self._limit)
        self._cells[task] = trial

    def wait(self) -> None:
        """Until no task is left."""
        while self._cells:
            done, _ = self._ray.wait(list(self._cells), num_returns=1, timeout=1.0)
            for task in done:
                self._finish(task)

    def stop(self) -> None:
        """Let the trials under way save, and take what they send back: it was paid for."""
        tasks = list(self._cells)
        for task in tasks:
            self._ray.cancel(task, force=False)
        done = self._ray.wait(tasks, num_returns=len(tasks), timeout=_GRACE)[0] if tasks else []
        for task in done:
            trial = self._cells[task]
            try:
                returned: Returned = self._ray.get(task)
            except Exception:
                continue  # it was not begun yet, or its worker is lost
            if returned.result is not None:
                self._on_finish(self._receive(returned, returned.result, trial))

    def _finish(self, task: Any) -> None:
        trial = self._cells[task]
        try:
            returned: Returned = self._ray.get(task)
        except Exception as error:
            del self._cells[task]
            self._on_finish(report_failure(trial, self._reason(error)))
            return
        if returned.result is None:
            self._send(trial)
            del self._cells[task]
            return
        # Not taken off the list before it is in its place: a Ctrl-C in between must not lose it.
        result = self._receive(returned, returned.result, trial)
        del self._cells[task]
        if result.status == "interrupted":
            # Nobody here asked for that: its machine is going away. Elsewhere it goes on.
            times = self._interruptions[trial.slug] = self._interruptions.get(trial.slug, 0) + 1
            if times <= self._retries:
                self.submit([trial])
                return
            result = replace(result, status="failed", reason=f"interrupted {times} times: {result.reason}")
        self._on_finish(result)

    def _receive(self, returned: Returned, result: TrialResult, trial: Trial) -> TrialResult:
        """The result, once what came with it is in its place, which is the trial's whatever the machine says."""
        result = replace(result, slug=trial.slug, run_dir=trial.run_dir)
        directory = self._out / trial.run_dir
        try:
            if returned.files:
                unpack(returned.files, directory, self._limit)
            if self._store is not None and returned.store != store_name() and directory.is_dir():
                merge_calls(directory, self._store)
        except GPOError as error:
            return replace(result, status="failed", reason=str(error)[:500])
        return result

    def _reason(self, error: Exception) -> str:
        name, text = type(error).__name__, str(error)
        if name in _LOST:
            return (
                f"its worker was lost {self._retries + 1} times; run the same command again to go on with it"
            )
        if "No module named 'gpo" in text:
            return "the Ray workers have no gpo, or another one; install the same version on every machine"
        return f"Ray: {name}: {first_line(error)}"


@contextmanager
def _mark(out: Path, shared: bool) -> Iterator[Mark]:
    path = out.resolve() / f".shared-{secrets.token_hex(8)}"
    mark = Mark(path=str(path), token=secrets.token_hex(16))
    try:
        out.mkdir(parents=True, exist_ok=True)
        if shared:
            path.write_text(mark.token, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror})") from error
    try:
        yield mark
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _own_store() -> Iterator[SharedStore | None]:
    store = SharedStore.open(warn=lambda line: None)  # each run warns by itself
    try:
        yield store
    finally:
        if store is not None:
            store.close()
