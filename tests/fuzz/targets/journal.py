"""Damaged and foreign journals: whatever the file holds, reading and opening it ends in rows or in one line.

The base is a small journal; an input says what to do to it, so that the kept ones stay small.
"""

from __future__ import annotations

import sqlite3
from functools import cache

from gpo.config.schema import BudgetConfig
from gpo.errors import GPOError
from gpo.model.model import Message, Reply, Request
from gpo.report.data import read_run
from gpo.run.layers.budget import Budget
from gpo.storage import codec
from gpo.storage import journal_schema as tables
from gpo.storage.journal import Journal
from gpo.storage.journal_reader import JournalReader
from tests.fuzz.targets.target import Input, Target, own, scratch

_FOLDER = scratch()
_PATH = _FOLDER / "journal.sqlite"
_PATCH = 3
_COLUMNS: dict[str, tuple[str, ...]] = {
    "meta": ("key", "value"),
    "calls": tables.CALL.columns,
    "steps": ("step", "data"),
    "prompts": ("id", "first_step", "text"),
    "scores": tables.SCORE.columns,
    "embeddings": ("embedder", "text_hash", "vector"),
    "events": ("at", "kind", "once", "data"),
    "refusals": ("key", "error"),
}
_CELLS = [(table, column) for table, columns in _COLUMNS.items() for column in columns]


@cache
def base() -> bytes:
    """A journal of a few rows in every table, without checksums, so that a cell that is set is read."""
    path = _FOLDER / "base.sqlite"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("PRAGMA page_size = 512")
        connection.execute("VACUUM")
        for statement in (line for version in tables.JOURNAL.migrations for line in version):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {tables.JOURNAL.application_id}")
        connection.execute(f"PRAGMA user_version = {len(tables.JOURNAL.migrations)}")
        for table, row in _rows():
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO {table} ({', '.join(_COLUMNS[table])}) VALUES ({marks})", row)
    connection.close()
    return path.read_bytes()


def _rows() -> list[tuple[str, tuple[object, ...]]]:
    request = Request(messages=(Message("user", "hi"),))
    reply = Reply(texts=("left",), finish_reasons=("stop",))
    call = (3, 1, 0, 10.0, 0.5, codec.pack_reply(reply), codec.pack_request(request))
    step = '{"prompt":"b","parent":"a","candidates":[{"prompt":"b","raw":"b"}],"estimates":[0.5],"dev":1.0}'
    return [
        ("meta", ("config", '{"prompt":"a"}')),
        ("meta", ("budget", '{"unsettled":{"calls":1,"tokens":2,"usd":0.1},"in_flight":{"calls":1}}')),
        ("meta", ("examples/dev", '{"dev:1":["q","left"]}')),
        ("calls", ("k1", "task", "score", "sent", *call)),
        ("calls", ("k2", "optimizer", "candidates", "store", *call)),
        ("steps", (0, step)),
        ("prompts", ("p1", None, "a")),
        ("prompts", ("p2", 0, "b")),
        ("scores", ("p1", "dev", "dev:1", 1.0, '"left"', 0, '["k1"]')),
        ("embeddings", ("e", "h", b"\x00\x00\x80\x3f")),
        ("events", (9.0, "start", None, '{"pid":0}')),
        ("events", (11.0, "retries", None, '{"task":2}')),
        ("events", (12.0, "failure", "f", '{"error":"x"}')),
        ("events", (13.0, "end", None, "{}")),
        ("refusals", ("k3", "filter")),
    ]


def run(data: bytes) -> None:
    """The first byte chooses: bytes of the file are changed, cells are set, or the file is the input itself."""
    read = Input(data)
    way = read.below(4)
    for other in _FOLDER.glob("journal.sqlite*"):
        other.unlink()
    if way == 0:
        _PATH.write_bytes(read.rest())
    elif way == 1:
        _PATH.write_bytes(_patched(read))
    else:
        _PATH.write_bytes(base())
        _set_cells(read)
    for use in (_read, _report, _open):
        try:
            use()
        except GPOError as error:
            own(error)


def _patched(read: Input) -> bytes:
    file = bytearray(base())
    while read.left >= _PATCH:
        place = read.number()
        file[place % len(file)] = read.below(256)
    return bytes(file)


def _set_cells(read: Input) -> None:
    with sqlite3.connect(_PATH, isolation_level=None) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        while read.left:
            table, column = _CELLS[read.below(len(_CELLS))]
            row, kind = read.below(4), read.below(8)
            raw = read.take(read.below(64))
            value: object = raw
            if kind == 0:
                value = None
            elif kind == 1:
                value = int.from_bytes(raw[:8], "big", signed=True)
            elif kind == 2:
                value = float("inf") if not raw else int.from_bytes(raw[:8], "big", signed=True) / 3
            elif kind <= 5:
                value = raw.decode("utf-8", "replace")
            key = "prompt_id" if table == "scores" else "rowid"  # a table without row ids
            query = f"UPDATE {table} SET {column} = ?1 WHERE {key} = (SELECT {key} FROM {table} LIMIT 1 OFFSET ?2)"
            if kind == 7:
                query = f"ALTER TABLE {table} DROP COLUMN {column} -- ?1 ?2"
            try:
                connection.execute(query, () if kind == 7 else (value, row))
            except sqlite3.Error:
                continue
    connection.close()


def _read() -> None:
    with JournalReader(_PATH) as journal:
        if journal.empty or not journal.has_calls:
            return
        ways = (
            lambda: [journal.get_call(key) for key in ("k1", "k2")],
            lambda: list(journal.calls()),
            lambda: list(journal.calls(["k1", "none"])),
            lambda: list(journal.ledger()),
            journal.totals,
            lambda: [journal.get_meta(key) for key in ("config", "budget", "examples/dev")],
            journal.steps,
            journal.prompts,
            lambda: list(journal.scores()),
            lambda: list(journal.scores("p1", "dev")),
            lambda: list(journal.events()),
            lambda: journal.get_embedding("e", "h"),
            journal.seconds,
            lambda: journal.seconds(100.0),
        )
        for way in ways:
            try:
                way()
            except GPOError as error:
                own(error)


def _report() -> None:
    read_run(_FOLDER)


def _open() -> None:
    journal = Journal(_PATH)
    try:
        journal.refusal("k3")
        Budget(BudgetConfig(max_calls=5), {"task": lambda _: 1.0}, journal)
    finally:
        journal.close()


def seeds() -> list[bytes]:
    """The base as it is, a change in each page of it, and every cell set to something of each type."""
    pages = len(base()) // 512
    found = [b"", b"\x01", b"\x02", b"\x00SQLite format 3\x00"]
    found += [bytes([1, page * 2 % 256, page * 512 % 256, 255]) for page in range(pages)]
    odd = [b'{"a":1}', b"[1]", b'"x"', b"1e999", b"null", b"\xff"]
    for cell in range(len(_CELLS)):
        for kind, raw in (
            (0, b""),
            (1, b"\x7f" * 8),
            (2, b""),
            (3, odd[cell % len(odd)]),
            (6, b"x\x9c\x00"),
            (7, b""),
        ):
            found.append(bytes([2, cell, 0, kind, len(raw)]) + raw)
    return found


TARGET = Target(
    "journal",
    run,
    seeds,
    tokens=[
        *(
            '{"prompt":',
            '"candidates":[',
            '"estimates":',
            '"unsettled":',
            '"in_flight":',
            '"calls":',
            '"pid":',
        ),
        *(
            '"error":',
            "[[",
            '["user","x"]',
            "null",
            "1e999",
            "NaN",
            "sent",
            "store",
            "start",
            "end",
            "retries",
        ),
    ],
    longest=400,
)
