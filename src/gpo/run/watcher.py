"""Whoever wants to be told how a run goes on, and telling them without letting them harm the run."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpo.optimizer.search import StepRecord
from gpo.text import printable, shorten

if TYPE_CHECKING:
    from gpo.result.result import Result
    from gpo.run.progress import Progress


class Watcher:
    """Is told how a run goes on: override what you want to hear of, and pass an object as `watcher=`.

    The methods are called in the thread of the run's event loop, between two calls to a model, so they should be quick.
    An error in one of them is said once, as a `RuntimeWarning`, and does not end the run.
    """

    def run_started(self, run_dir: Path, config: Mapping[str, Any]) -> None:
        """The run in `run_dir` begins or goes on; `config` is what its `config.yaml` says, without secrets."""

    def run_finished(self, run_dir: Path, result: Result | None) -> None:
        """The run is over, or its process is: `result` is written already; None: an error left none. The one method
        that is called in a thread of its own and may take its time; the run waits for it."""

    def note(self, line: str) -> None:
        """A warning or a piece of news, one line."""

    def step_started(self, step: int, total: int, limit: int | None, best_score: float) -> None:
        """Step `step` of `total`, from 0, begins. `limit` words may change (None: any number); `best_score` is the best
        dev score so far, in 0..1."""

    def prompt_scored(self, prompt: str, split: str, score: float) -> None:
        """A candidate, or the initial prompt, was scored on every example of `split` ("dev", and "test" at the end);
        `score` is its mean in 0..1. Racing scores weak candidates on a part of dev only, which is not told."""

    def step_finished(self, record: StepRecord) -> None:
        """A step is over; `record` has its candidates with their scores, or why they were rejected."""

    def progressed(self, progress: Progress) -> None:
        """The numbers have changed: calls, tokens, dollars, scores. At most 20 times a second; always the same object,
        which the run keeps up to date."""


class Watchers(Watcher):
    """Tells each of `watchers` (of a list, each in it), whatever the others do. None, and what lacks a method, is not
    told."""

    def __init__(self, *watchers: object) -> None:
        several = [item for one in watchers for item in (one if isinstance(one, list | tuple) else [one])]
        self._watchers = [watcher for watcher in several if watcher is not None]
        self._failed: set[int] = set()

    def run_started(self, run_dir: Path, config: Mapping[str, Any]) -> None:
        """See `Watcher`."""
        self._tell("run_started", run_dir, config)

    def run_finished(self, run_dir: Path, result: Result | None) -> None:
        """See `Watcher`."""
        self._tell("run_finished", run_dir, result)

    def note(self, line: str) -> None:
        """See `Watcher`."""
        self._tell("note", line)

    def notes(self, lines: Iterable[str]) -> None:
        """A note for each of `lines`."""
        for line in lines:
            self.note(line)

    def step_started(self, step: int, total: int, limit: int | None, best_score: float) -> None:
        """See `Watcher`."""
        self._tell("step_started", step, total, limit, best_score)

    def prompt_scored(self, prompt: str, split: str, score: float) -> None:
        """See `Watcher`."""
        self._tell("prompt_scored", prompt, split, score)

    def step_finished(self, record: StepRecord) -> None:
        """See `Watcher`."""
        self._tell("step_finished", record)

    def progressed(self, progress: Progress) -> None:
        """See `Watcher`."""
        self._tell("progressed", progress)

    def _tell(self, event: str, *what: Any) -> None:
        for place, watcher in enumerate(self._watchers):
            method = getattr(watcher, event, None)
            if method is None:
                continue
            try:
                method(*what)
            except Exception as error:
                if place not in self._failed:
                    self._failed.add(place)
                    _warn(watcher, event, error)


def _warn(watcher: object, event: str, error: Exception) -> None:
    name = f"{type(watcher).__qualname__}.{event}"
    said = shorten(printable(f"{type(error).__name__}: {error}"), 300)
    line = f"{name} failed ({said}); the run goes on"
    try:
        warnings.warn(line, RuntimeWarning, stacklevel=4)
    except RuntimeWarning:  # warnings are errors in this process, and this one must not end the run either
        print(f"gpo: {line}", file=sys.stderr)
