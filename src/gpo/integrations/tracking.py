"""A run in an experiment tracker: its keys, the curve by step, the prompts, what it cost, and its files at the end.

Names and figures are those of `result.json`, its paths joined by slashes, such as `scores/best/test`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from gpo.errors import GPOError, RunError
from gpo.integrations.sender import Sender
from gpo.model.openai.errors import clean, redact
from gpo.optimizer.search import StepRecord
from gpo.report.page import write_report
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.run.journal_writer import step_summary
from gpo.run.progress import Progress
from gpo.run.watcher import Watcher
from gpo.storage.atomic_write import encode_text, write_atomically
from gpo.storage.regular_file import read_regular

STATE = "tracking.json"
"""The file of a run directory that names the run in each tracker, so that a run that goes on stays one run there."""

PATIENCE = {"complete": 60.0, "budget": 60.0, "interrupted": 1.5}
"""Seconds that a run waits at its end for what is still to be sent, by its status."""


class TrackedRun(Protocol):
    """A run in a tracker. All is called in one thread, in order. Steps count from 0."""

    @property
    def id(self) -> str: ...
    def log_params(self, params: Mapping[str, str | float | bool]) -> None: ...
    def log_step(self, step: int, metrics: Mapping[str, float]) -> None: ...
    def log_summary(self, metrics: Mapping[str, float], tags: Mapping[str, str]) -> None: ...
    def log_prompts(self, prompts: Mapping[str, str]) -> None:
        """Prompts by the names of their files, without an ending."""

    def log_file(self, path: Path) -> None: ...
    def close(self, status: str) -> None:
        """`status` is that of the result, or "failed"."""


class Tracker(Watcher):
    """A watcher that tells a tracker. `open_run` is what one tracker's own class has to say.

    Everything is sent in a thread of its own. An error is told as any watcher's is, once, and the run goes on. What is
    sent: the configuration without secrets, scores, usage, the prompts, and at the end `best_prompt.txt`, `result.json`
    and, with `report`, `report.html`, which holds the rows of dev and test too. One object is for one run; `run_id`
    names the tracker's run where it is there already.
    """

    name = ""
    """As `tracking.json` has it."""

    def __init__(self, *, report: bool = True, run_id: str | None = None) -> None:
        self._report, self._run_id = report, run_id
        self._run: TrackedRun | None = None
        self._sender: Sender | None = None
        self._state: dict[str, Any] = {}
        self._usage: dict[str, float] = {}

    def open_run(self, run_id: str | None, name: str) -> TrackedRun:
        """Begin a run called `name`, or go on with the one whose `run_id` is given. Called in the sending thread."""
        raise NotImplementedError

    def run_started(self, run_dir: Path, config: Mapping[str, Any]) -> None:
        """See `gpo.Watcher`."""
        self._path = run_dir.resolve() / STATE
        self._state = _read_state(self._path).get(self.name, {})
        if self._run_id not in (None, self._state.get("run")):
            self._state = {}  # another run was told, this one was not
        if self._state.get("status") == "complete":
            return
        self._sender = Sender(f"gpo-{self.name}")
        # With `prompts` the one prompt is a default that no part of the run uses.
        unused = {"prompt"} if config.get("prompts") else set()
        told = {key: value for key, value in config.items() if key not in unused}
        params, name = flatten(told, "."), run_dir.resolve().name
        self._put(lambda: self._open(name, params))

    def step_finished(self, record: StepRecord) -> None:
        """See `gpo.Watcher`."""
        self._put_step(step_summary(record), self._usage)
        self._raise_error()

    def progressed(self, progress: Progress) -> None:
        """See `gpo.Watcher`."""
        usd = {} if progress.usd is None else {"usage/usd": progress.usd}
        self._usage = {"usage/calls": progress.calls, "usage/tokens": progress.tokens, **usd}

    def run_finished(self, run_dir: Path, result: Result | None) -> None:
        """See `gpo.Watcher`."""
        if self._sender is None:
            return
        sender, status = self._sender, result.status if result else "failed"
        with TemporaryDirectory(prefix="gpo-", ignore_cleanup_errors=True) as folder:
            if result:
                # Those of an earlier process too that had no tracker.
                for step in result.steps:
                    self._put_step(step, {})
                self._put(lambda: self._log_result(result))
                self._put(lambda: self._log_files(run_dir, Path(folder)))
            self._put(lambda: self._close(status))
            seconds = PATIENCE.get(status, PATIENCE["interrupted"])
            done = sender.finish(seconds)
        self._sender = None
        self._raise_error(sender)
        if not done:
            raise RunError(f"not all was sent within {seconds:g} s")

    # In the sending thread

    def _open(self, name: str, params: Mapping[str, Any]) -> None:
        run_id = self._state.get("run")
        self._run = self.open_run(run_id, name)
        self._keep(run=self._run.id)
        if run_id is None:
            self._run.log_params(params)

    def _log_step(self, step: Mapping[str, Any], usage: Mapping[str, float]) -> None:
        number = int(step["step"])
        if self._run is None or number < self._state.get("steps", 0):
            return
        self._run.log_step(number, {**numbers(step, "steps"), **usage})
        self._run.log_prompts({f"step-{number:03}": step["prompt"]})
        self._keep(steps=number + 1)

    def _log_result(self, result: Result) -> None:
        if self._run is None:
            return
        plain = result.to_dict()
        parts = {name: plain[name] for name in ("scores", "improvement", "usage")}
        tags = {"gpo.status": result.status, "gpo.verdict": str(result.improvement.verdict)}
        self._run.log_summary({**numbers(parts), "seconds": result.seconds}, tags)
        self._run.log_prompts({"initial": result.initial_prompt, "best": result.best_prompt})

    def _log_files(self, run_dir: Path, folder: Path) -> None:
        if self._run is None:
            return
        directory = RunDirectory(run_dir)
        for path in (directory.best_prompt_path, directory.result_path):
            self._run.log_file(path)
        if self._report:
            self._run.log_file(write_report(run_dir, folder / "report.html"))

    def _close(self, status: str) -> None:
        if self._run is not None:
            self._run.close(status)
            self._keep(status=status)

    def _keep(self, **changes: Any) -> None:
        self._state = {**self._state, **changes}
        whole = {**_read_state(self._path), self.name: self._state}
        write_atomically(self._path, encode_text(json.dumps(whole, indent=2) + "\n"), private=True)

    # In the run's thread

    def _put_step(self, step: Mapping[str, Any], usage: Mapping[str, float]) -> None:
        self._put(lambda: self._log_step(step, usage))

    def _put(self, job: Any) -> None:
        if self._sender is not None:
            self._sender.put(job)

    def _raise_error(self, sender: Sender | None = None) -> None:
        sender = sender or self._sender
        error = sender.take_error() if sender else None
        if error is not None:
            # Of another kind than it was: what a tracker's error says may hold the address with its password.
            raise RunError(f"{self.name}: {type(error).__name__}: {clean(redact(str(error), self.secrets))}")

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be told of where this tracker sends to."""
        return ()


def flatten(data: Mapping[str, Any], separator: str, prefix: str = "") -> dict[str, Any]:
    """The values of nested mappings by their joined keys. None is left out; a list is one value, as JSON."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        name = f"{prefix}{separator}{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            found |= flatten(value, separator, name)
        elif isinstance(value, str | int | float):
            found[name] = value
        elif value is not None:
            found[name] = json.dumps(value, ensure_ascii=False)
    return found


def numbers(data: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The numbers in nested mappings by their keys, joined by slashes."""
    return {
        name: float(value)
        for name, value in flatten(data, "/", prefix).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _read_state(path: Path) -> dict[str, Any]:
    """What is there; nothing where it is missing or no such file."""
    try:
        found = json.loads(read_regular(path))
    except (OSError, ValueError, GPOError):
        return {}
    return (
        {name: state for name, state in found.items() if isinstance(state, dict)}
        if isinstance(found, dict)
        else {}
    )
