"""What a run remembers of its task, to notice on a later start that it is another one. JSON values.

Reads the task as it was built.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gpo.errors import ConfigError
from gpo.run.identity.code_fingerprint import fingerprint_code
from gpo.task.answer.label import BooleanReader, LabelReader
from gpo.task.answer.structured.json_reader import JsonReader
from gpo.task.program.program import Program
from gpo.task.task import Task

SPLITS = ("train", "dev", "test", "format", "demos")


def identity(task: Task, *, whole: bool) -> dict[str, Any]:
    """Hashes of its rows and of the code of an own metric; `whole`: how it asks, reads and scores as well, for a task
    that no configuration describes."""
    found: dict[str, Any] = {
        "data_digest": data_digest(task),
        "columns_digest": columns_digest(task),
        "metric_code": fingerprint_code(task.metric),
        "helper_code": fingerprint_code((task.metric, task.answer), helpers=True),
    }
    if task.program is not None:
        found["program"] = _program(task.program)
    if whole:
        found["task_object"] = {
            "type": type(task).__qualname__,
            "metric": getattr(task.metric, "name", ""),
            "answer": _answer(task),
            "position": task.position,
            "frame": task.frame,
            "demonstrations": task.demonstrations,
            "chat": task.chat,
            "rounds": task.rounds,
            "second_round_tokens": task.second_round_tokens,
            "input_columns": list(task.input_columns),
        }
        if task.structured:
            found["task_object"]["structured"] = True
        if task.metric.judge:
            found["task_object"]["judge"] = asdict(task.metric.judge)
    return found


def _program(program: Program) -> dict[str, str]:
    """By its code, or by the identity that it was given."""
    if program.identity:
        return {"identity": program.identity}
    return {"name": program.name, "code": fingerprint_code(program.run, helpers=True)}


def data_digest(task: Task) -> str:
    """A hash of question and answer of every example of every split: a run does not go on with other data."""
    return _digest(
        [name, example.id, example.input, example.target]
        for name in SPLITS
        for example in task.examples(name)
    )


def columns_digest(task: Task) -> str:
    """A hash of the columns, which placeholders of a prompt and own metrics read."""
    return _digest(
        [name, example.id, dict(example.fields)] for name in SPLITS for example in task.examples(name)
    )


def template_digest(folder: Path) -> str:
    """A hash of the user's own templates, by their names within `folder`: they are what the optimizer is asked.

    Raises `ConfigError` where one cannot be read."""
    try:
        files = sorted(path for path in folder.rglob("*.jinja") if path.is_file())
        return _digest([path.relative_to(folder).as_posix(), path.read_bytes().hex()] for path in files)
    except OSError as error:
        raise ConfigError(
            f"optimize.meta_prompt: {error.filename}: cannot be read ({error.strerror})"
        ) from None


def _answer(task: Task) -> dict[str, Any]:
    reader = task.answer
    found: dict[str, Any] = {"reader": type(reader).__qualname__}
    if isinstance(reader, LabelReader):
        found["labels"] = list(reader.labels)
    if isinstance(reader, JsonReader):
        found["schema"] = reader.schema
    if isinstance(reader, BooleanReader):
        found["words"] = list(reader.words)
    return {**found, "code": fingerprint_code(reader)}


def _digest(rows: Iterable[Any]) -> str:
    hasher = hashlib.blake2b(digest_size=16)
    for row in rows:
        hasher.update(json.dumps(row, sort_keys=True, default=str).encode() + b"\n")
    return hasher.hexdigest()
