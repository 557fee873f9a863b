"""A run directory as a report sees it: what is finished, what goes on, what was left over by an interruption.

Knows the files of a run and no layout. Steps may lack keys that later versions write, so all are read leniently.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gpo.errors import RunError
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.run.journal_writer import prompt_id
from gpo.storage.database import whole
from gpo.storage.journal_reader import JournalReader
from gpo.storage.journal_schema import JOURNAL

Status = Literal["running", "complete", "budget", "interrupted"]

_SIGN_OF_LIFE = 600.0  # seconds; only where a process cannot be asked whether it lives


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateView:
    """One reply of the optimizer model. `score` is the dev mean in 0..1, None where `rejected` says why not or where
    only an `estimate` over a part of dev was made, of `estimate_rows` examples where that is known."""

    step: int
    index: int
    prompt: str
    raw: str
    parent: str
    distance: int | None
    attempt: int
    rejected: str | None
    score: float | None
    estimate: float | None
    estimate_rows: int | None
    chosen: bool

    @property
    def name(self) -> str:
        """ "STEP.INDEX", by which the page finds it."""
        return f"{self.step}.{self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One finished step; scores are dev means in 0..1, distances in words, `number` counts from 0."""

    number: int
    total: int | None
    limit: int | None
    parent: str
    parent_score: float | None
    chosen: str
    chosen_score: float | None
    best_score: float | None
    distance: int | None
    reflection: str | None
    summary: str | None
    trajectory: tuple[Mapping[str, Any], ...]
    meta_prompt: tuple[Mapping[str, Any], ...]
    candidates: tuple[CandidateView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run at one moment. `result` is None until a process has come to an end of any kind."""

    path: Path
    name: str
    status: Status
    config: Mapping[str, Any]
    result: Result | None
    initial_prompt: str
    initial_dev: float | None
    best_prompt: str
    best_dev: float | None
    steps: tuple[StepView, ...]
    seconds: float
    started: float | None
    failures: tuple[str, ...] = ()
    retries: int = 0
    notes: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        """The method's name, or its parts where it has none."""
        method = self.config.get("method", "")
        if isinstance(method, Mapping):
            return " · ".join(str(part) for part in method.values())
        return " · ".join(map(str, method)) if isinstance(method, list | tuple) else str(method)

    @property
    def task(self) -> str:
        """Where the data came from."""
        data = self.config.get("task", {}).get("data", "")
        text = next(iter(data.values()), "") if isinstance(data, Mapping) else str(data)
        return text.removeprefix("python:")

    @property
    def total(self) -> int | None:
        """Steps planned, where a step has said so."""
        return next((step.total for step in reversed(self.steps) if step.total), None)

    def first_steps(self) -> dict[str, int | None]:
        """The text of every scored prompt to the step that brought it up, None for the initial one."""
        found: dict[str, int | None] = {self.initial_prompt: None}
        for item in (item for step in self.steps for item in step.candidates):
            if item.rejected is None:
                found.setdefault(item.prompt, item.step)
        return found

    def chosen_prompts(self) -> list[str]:
        """The initial prompt, every prompt that became current, and the best one, each once, in their order."""
        return list(dict.fromkeys([self.initial_prompt, *(s.chosen for s in self.steps), self.best_prompt]))


def read_run(path: Path) -> RunView:
    """The run in the directory `path`, also while it goes on. Raises `RunError` where there is none."""
    directory = RunDirectory(path)
    if not directory.journal_path.is_file():
        raise RunError(f"{path}: is not a run directory (it has no {directory.journal_path.name})")
    with JournalReader(directory.journal_path) as reader:
        if reader.empty:
            raise RunError(f"{path}: the run has not recorded anything yet")
        result = directory.read_result()
        with whole(directory.journal_path, JOURNAL):
            running = _is_running(reader)
        if running and result is not None and result.status != "complete":
            result = None  # it is the end of an earlier process; the run goes on
        with whole(directory.journal_path, JOURNAL):
            return _view(path, reader, result, running)


def _view(path: Path, reader: JournalReader, result: Result | None, running: bool) -> RunView:
    config = reader.get_meta("config") or {}
    initial = result.initial_prompt if result else str(config.get("prompt", ""))
    steps = tuple(_step(number, data) for number, data in reader.steps().items())
    initial_dev = result.scores.initial.dev if result else _dev_mean(reader, initial, steps)
    best, best_dev = initial, initial_dev
    if result:
        best, best_dev = result.best_prompt, result.scores.best.dev
    else:
        for item in (item for step in steps for item in step.candidates):
            if item.score is not None and (best_dev is None or item.score > best_dev):
                best, best_dev = item.prompt, item.score
    starts = [event.at for event in reader.events("start")]
    return RunView(
        path=path,
        name=path.resolve().name,
        status="running" if running and not result else result.status if result else "interrupted",
        config=config,
        result=result,
        initial_prompt=initial,
        initial_dev=initial_dev,
        best_prompt=best,
        best_dev=best_dev,
        steps=steps,
        seconds=result.seconds if result else reader.seconds(time.time() if running else None),
        started=min(starts, default=None),
        failures=tuple(str((event.data or {}).get("error", "")) for event in reader.events("failure")),
        retries=sum(sum((event.data or {}).values()) for event in reader.events("retries")),
        notes=_notes(result) if result else (),
    )


def _notes(result: Result) -> tuple[str, ...]:
    """The warnings that do not stand at the top of the page."""
    first = result.extra.get("reply_warnings") or ()
    return tuple(str(note) for note in (result.extra.get("warnings") or ()) if note and note not in first)


def _step(number: int, data: Mapping[str, Any]) -> StepView:
    chosen, parent = str(data.get("prompt", "")), str(data.get("parent", ""))
    items = []
    estimates, parts = data.get("estimates") or (), data.get("estimate_rows") or ()
    taken = False
    for index, item in enumerate(data.get("candidates") or ()):
        is_chosen = not taken and item.get("rejected") is None and item.get("prompt") == chosen
        taken = taken or is_chosen
        items.append(
            CandidateView(
                step=number,
                index=index,
                prompt=str(item.get("prompt", "")),
                raw=str(item.get("raw", "")),
                parent=str(item.get("parent") or parent),
                distance=item.get("edit_distance"),
                attempt=int(item.get("attempt") or 0),
                rejected=item.get("rejected"),
                score=item.get("score"),
                estimate=estimates[index] if index < len(estimates) else None,
                estimate_rows=parts[index] if index < len(parts) else None,
                chosen=is_chosen,
            )
        )
    return StepView(
        number=number,
        total=data.get("total"),
        limit=data.get("edit_limit"),
        parent=parent,
        parent_score=data.get("parent_score"),
        chosen=chosen,
        chosen_score=data.get("dev"),
        best_score=data.get("best_dev"),
        distance=data.get("edit_distance"),
        reflection=data.get("reflection"),
        summary=data.get("summary"),
        trajectory=tuple(data.get("trajectory") or ()),
        meta_prompt=tuple(data.get("meta_prompt") or ()),
        candidates=tuple(items),
    )


def _dev_mean(reader: JournalReader, prompt: str, steps: Sequence[StepView]) -> float | None:
    if steps and steps[0].parent_score is not None:
        return steps[0].parent_score
    values = [s.value for s in reader.scores(prompt_id(prompt), "dev") if s.value is not None]
    return sum(values) / len(values) if values else None


def _is_running(reader: JournalReader) -> bool:
    events = [event for event in reader.events() if event.kind in ("start", "end")]
    if not events or events[-1].kind == "end":
        return False
    pid = (events[-1].data or {}).get("pid")
    if sys.platform == "win32" or not isinstance(pid, int) or pid <= 0:
        last = events[-1].at + reader.seconds()
        return time.time() - last < _SIGN_OF_LIFE
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it lives and belongs to someone else
    return True
