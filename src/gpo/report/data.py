"""Reads a run directory for a report: what is finished, what goes on, what was left over by an interruption.

Steps may lack keys that later versions write, so all are read leniently.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gpo.errors import RunError
from gpo.report.useless import count_useless
from gpo.report.views import CandidateView, RunView, StepView
from gpo.result.result import Result
from gpo.result.wording import describe_contributions
from gpo.run.directory import RunDirectory
from gpo.run.journal_writer import SPLIT_LEVEL, prompt_id
from gpo.storage.journal_reader import JournalReader
from gpo.storage.journal_schema import JOURNAL
from gpo.storage.sqlite.database import translate_row_errors
from gpo.storage.typed import Record
from gpo.task.program.parts import join_parts

_MOST_STEPS = 10**6
_SIGN_OF_LIFE = 600.0  # seconds; only where a process cannot be asked whether it lives


def read_run(path: Path) -> RunView:
    """The run in the directory `path`, also while it goes on. Raises `RunError` where there is none."""
    directory = RunDirectory(path)
    if not os.path.lexists(directory.journal_path):
        raise RunError(f"{path}: is not a run directory (it has no {directory.journal_path.name})")
    with JournalReader(directory.journal_path) as reader:
        if reader.empty:
            raise RunError(f"{path}: the run has not recorded anything yet")
        result = directory.read_result()
        with translate_row_errors(directory.journal_path, JOURNAL):
            running = _is_running(reader)
        if running and result is not None and result.status != "complete":
            result = None  # it is the end of an earlier process; the run goes on
        with translate_row_errors(directory.journal_path, JOURNAL):
            return _view(path, reader, result, running)


def _view(path: Path, reader: JournalReader, result: Result | None, running: bool) -> RunView:
    config = _config(reader)
    initial = result.initial_prompt if result else _initial_prompt(config)
    steps = tuple(
        _step(number, Record(reader.path, f"steps {number}", data)) for number, data in reader.steps().items()
    )
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
        config=config.data,
        result=result,
        initial_prompt=initial,
        initial_dev=initial_dev,
        best_prompt=best,
        best_dev=best_dev,
        steps=steps,
        seconds=result.seconds if result else reader.seconds(time.time() if running else None),
        started=min(starts, default=None),
        failures=tuple(event.text("error") for event in _events(reader, "failure")),
        retries=sum(event.count(role) or 0 for event in _events(reader, "retries") for role in event.data),
        reply_warnings=tuple(map(str, result.extra.get("reply_warnings") or ()))
        if result
        else count_useless(reader),
        notes=_notes(result) if result else (),
        contributions=tuple(describe_contributions(result)) if result else (),
    )


def _notes(result: Result) -> tuple[str, ...]:
    """The warnings that do not stand at the top of the page."""
    first = result.extra.get("reply_warnings") or ()
    return tuple(str(note) for note in (result.extra.get("warnings") or ()) if note and note not in first)


def _config(reader: JournalReader) -> Record:
    """The recorded configuration; checked is what a report reads of it."""
    config = Record(reader.path, "meta config", reader.get_meta("config") or {})
    config.record("task")
    models = config.record("models")
    for role in models.data:
        models.record(role).text("model")
    config.count("seed")
    if not isinstance(config.data.get("method", ""), str | list | Mapping):
        config.text("method")
    return config


def _initial_prompt(config: Record) -> str:
    """The prompt that a run without a result began with, several as one text."""
    if config.data.get("prompts") is None:
        return config.text("prompt")
    named = config.record("prompts")
    return join_parts({name: named.text(name) for name in named.data})


def _events(reader: JournalReader, kind: str) -> Iterator[Record]:
    for event in reader.events(kind):
        yield Record(reader.path, f"events {kind}", event.data or {})


def _step(number: int, record: Record) -> StepView:
    chosen, parent = record.text("prompt"), record.text("parent")
    items = []
    estimates, parts = record.items("estimates"), record.items("estimate_rows")
    taken = False
    for index, item in enumerate(record.records("candidates")):
        rejected, prompt = item.text_or_none("rejected"), item.text("prompt")
        made_from = item.text("parent") or parent
        is_chosen = not taken and rejected is None and prompt == chosen
        taken = taken or is_chosen
        part = Record(
            record.source,
            record.inner(f"estimates[{index}]"),
            {"mean": _at(estimates, index), "rows": _at(parts, index)},
        )
        items.append(
            CandidateView(
                step=number,
                index=index,
                prompt=prompt,
                raw=item.text("raw"),
                parent=made_from,
                # Nobody measures how far a start prompt of the library is from the initial one.
                distance=item.count("edit_distance") or (0 if prompt == made_from else None),
                attempt=item.count("attempt") or 0,
                rejected=rejected,
                score=item.share("score"),
                estimate=part.share("mean"),
                estimate_rows=part.count("rows"),
                chosen=is_chosen,
            )
        )
    shown = [
        {"prompt": point.text("prompt"), "score": point.share("score"), "step": point.count("step")}
        for point in record.records("trajectory")
    ]
    asked = [
        {"role": turn.text("role"), "content": turn.text("content")} for turn in record.records("meta_prompt")
    ]
    return StepView(
        number=number,
        total=record.count("total", _MOST_STEPS),
        limit=record.count("edit_limit"),
        parent=parent,
        parent_score=record.share("parent_score"),
        chosen=chosen,
        chosen_score=record.share("dev"),
        best_score=record.share("best_dev"),
        distance=record.count("edit_distance"),
        reflection=record.text_or_none("reflection"),
        summary=record.text_or_none("summary"),
        trajectory=tuple(shown),
        meta_prompt=tuple(asked),
        candidates=tuple(items),
        part=record.text_or_none("part"),
    )


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else None


def _dev_mean(reader: JournalReader, prompt: str, steps: Sequence[StepView]) -> float | None:
    if steps and steps[0].parent_score is not None:
        return steps[0].parent_score
    if reader.get_meta(SPLIT_LEVEL):
        return None
    values = [s.value for s in reader.scores(prompt_id(prompt), "dev") if s.value is not None]
    return sum(values) / len(values) if values else None


def _is_running(reader: JournalReader) -> bool:
    events = [event for event in reader.events() if event.kind in ("start", "end")]
    if not events or events[-1].kind == "end":
        return False
    pid = Record(reader.path, "events start", events[-1].data or {}).data.get("pid")
    if sys.platform == "win32" or not isinstance(pid, int) or not 0 < pid < 2**31:
        last = events[-1].at + reader.seconds()
        return time.time() - last < _SIGN_OF_LIFE
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it lives and belongs to someone else
    return True
