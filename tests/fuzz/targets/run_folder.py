"""A run folder from someone else: a real one with something changed is shown, or is one line that says why not."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from functools import cache
from typing import Any

from gpo.errors import GPOError
from gpo.report.comparison.compare import compare_html
from gpo.report.page import report_html
from gpo.run.directory import RunDirectory
from tests.fuzz.targets.target import Input, Target, own, scratch, text

_FOLDER = scratch() / "run"
_FILES = ("result.json", "journal.sqlite", "journal.sqlite-wal", "journal.sqlite-journal")
_CELLS = (
    ("steps", "data"),
    ("meta", "value"),
    ("events", "data"),
    ("scores", "prediction"),
    ("scores", "value"),
    ("scores", "calls"),
    ("prompts", "text"),
    ("calls", "seconds"),
    ("calls", "reply"),
    ("calls", "request"),
)
_PATHS = 64


@cache
def base() -> dict[str, bytes]:
    """The files of a small finished run, the same in every process."""
    from tests.report.support import run_sums

    folder = scratch() / "base"
    run_sums(folder, sizes=(4, 3, 3))
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name in _FILES}


def run(data: bytes) -> None:
    """The first byte says what is changed: a field of a JSON cell or of the result, a cell, a whole file, or the kind
    of a file; the bytes after it where and to what."""
    read = Input(data)
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir()
    for name, content in base().items():
        (_FOLDER / name).write_bytes(content)
    way = read.below(5)
    if way == 0:
        _change_cell(read, within=True)
    elif way == 1:
        _change_cell(read, within=False)
    elif way == 2:
        path = _FOLDER / "result.json"
        path.write_text(json.dumps(_changed(json.loads(path.read_text()), read)))
    elif way == 3:
        (_FOLDER / _FILES[read.below(len(_FILES))]).write_bytes(read.rest())
    else:
        _change_kind(read)
    for use in (
        report_html,
        lambda path: compare_html({"a": path}),
        lambda path: RunDirectory(path).check({}),
    ):
        try:
            use(_FOLDER)
        except GPOError as error:
            own(error)


def _change_kind(read: Input) -> None:
    path = _FOLDER / _FILES[read.below(len(_FILES))]
    path.unlink(missing_ok=True)
    kind = read.below(3)
    if kind == 0:
        os.mkfifo(path)
    elif kind == 1:
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()


def _change_cell(read: Input, *, within: bool) -> None:
    table, column = _CELLS[read.below(len(_CELLS))]
    connection = sqlite3.connect(_FOLDER / "journal.sqlite", isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    try:
        rows = connection.execute(f"SELECT {column} FROM {table}").fetchall()
        row = read.below(len(rows))
        value: object = text(read.rest()[:200]).encode("utf-8", "replace").decode()
        if within:
            try:
                value = json.dumps(_changed(json.loads(rows[row][0]), read))
            except (TypeError, ValueError, UnicodeDecodeError):
                value = None
        where = f"SELECT * FROM {table} LIMIT 1 OFFSET {row}"
        keys = {"scores": "prompt_id, split, example_id"}.get(table, "rowid")
        keys_query = where.replace("*", keys)
        connection.execute(
            f"UPDATE {table} SET {column} = ?, checksum = NULL WHERE ({keys}) = ({keys_query})", (value,)
        )
    except sqlite3.Error:
        pass
    finally:
        connection.close()


def _changed(value: Any, read: Input) -> Any:
    """`value` with one part of it replaced by the JSON, or else the text, that the rest of the input is."""
    path = [read.below(_PATHS) for _ in range(read.below(5))]
    try:
        odd = json.loads(read.rest())
    except (ValueError, RecursionError):
        odd = text(read.rest())
    return _put(value, path, odd)


def _put(value: Any, path: list[int], odd: Any) -> Any:
    if not path or not isinstance(value, dict | list) or not value:
        return odd
    if isinstance(value, list):
        at = path[0] % len(value)
        return [_put(item, path[1:], odd) if place == at else item for place, item in enumerate(value)]
    at = path[0] % len(value)
    return {
        key: _put(item, path[1:], odd) if n == at else item for n, (key, item) in enumerate(value.items())
    }


def seeds() -> list[bytes]:
    """Every cell and field of the upper floors set to something of each type, and every file to every kind."""
    odd = [b"null", b"[1]", b'{"a":{}}', b"1e300", b"-1", b'"x"', b"true"]
    found = [bytes([4, file, kind]) for file in range(len(_FILES)) for kind in range(3)]
    found += [bytes([3, file]) + b"SQLite format 3\x00" for file in range(len(_FILES))]
    for number in range(len(_CELLS)):
        found += [bytes([way, number, 0, *([1, 0] if way == 0 else [])]) + odd[number % 7] for way in (0, 1)]
    found += [bytes([2, 1, number]) + odd[number % 7] for number in range(14)]
    found += [bytes([2, 2, number, 0]) + odd[number % 5] for number in range(14)]
    return found


TARGET = Target(
    "run_folder",
    run,
    seeds,
    tokens=[
        "null",
        "true",
        "1e300",
        "[1]",
        "{}",
        '{"a":',
        '"candidates"',
        '"task"',
        '"models"',
        "SQLite format 3",
    ],
    longest=300,
)
