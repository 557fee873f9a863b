"""Entries of the store of calls: whatever is in one, it is an answer or a miss with at most one warning, and one more
where the file itself turns out to be damaged."""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path

from gpo.model.model import Reply, Usage
from gpo.storage.shared_store import SharedStore
from tests.fuzz.targets.target import Input, Target, scratch

_PATH = scratch() / "store.sqlite"
_COLUMNS = ("prompt_tokens", "completion_tokens", "cached_tokens", "created", "seconds", "reply", "checksum")


@cache
def base() -> bytes:
    """A store with one entry."""
    path = scratch() / "store.sqlite"
    store = SharedStore.open(path, warn=_fail)
    assert store is not None
    store.put("k", Reply(texts=("yes",), finish_reasons=("stop",), usage=Usage(prompt_tokens=3)))
    store.close()
    return path.read_bytes()


def run(data: bytes) -> None:
    """The first byte chooses: bytes of the file are changed, or cells of its entry are set."""
    read = Input(data)
    for name in ("", "-wal", "-shm"):
        Path(f"{_PATH}{name}").unlink(missing_ok=True)
    if read.below(2):
        content = bytearray(base())
        while read.left >= 3:
            content[read.number() % len(content)] = read.below(256)
        _PATH.write_bytes(content)
    else:
        _PATH.write_bytes(base())
        _set_cells(read)
    warnings: list[str] = []
    store = SharedStore.open(_PATH, warn=warnings.append)
    if store is not None:
        for _ in range(2):
            found = store.get("k")
            if found is not None and not (found.texts and all(isinstance(t, str) for t in found.texts)):
                raise AssertionError("an answer without a text")
        store.put("k", Reply(texts=("no",)))
        store.close()
    damaged = sum(line.startswith("going on without") for line in warnings)
    if (
        damaged > 1
        or len(warnings) > 1 + damaged
        or any(len(line) > 2000 or "\n" in line for line in warnings)
    ):
        raise AssertionError(f"warnings: {warnings!r}")


def _set_cells(read: Input) -> None:
    connection = sqlite3.connect(_PATH, isolation_level=None)
    connection.execute("UPDATE calls SET checksum = NULL")
    while read.left:
        column, kind = _COLUMNS[read.below(len(_COLUMNS))], read.below(4)
        raw = read.take(read.below(64))
        value: object = (
            None,
            int.from_bytes(raw[:8], "big", signed=True),
            raw.decode("utf-8", "replace"),
            raw,
        )[kind]
        try:
            connection.execute(f"UPDATE calls SET {column} = ?", (value,))
        except sqlite3.Error:
            continue
    connection.close()


def _fail(line: str) -> None:
    raise AssertionError(line)


def seeds() -> list[bytes]:
    """Every cell set to something of each type, replies of other shapes, and a change in each part of the file."""
    found = [bytes([0, column, kind, 3]) + b"abc" for column in range(len(_COLUMNS)) for kind in range(4)]
    replies = (
        b"[]",
        b"[[1],[]]",
        b'[["a"],{}]',
        b'[[],["stop"]]',
        b'{"a":1}',
        b"x\x9c\x00",
        b'[["a"],["stop"]]',
    )
    found += [bytes([0, 5, 3, len(reply)]) + reply for reply in replies]
    return found + [bytes([1, at, 40, 255]) for at in range(0, 64, 4)]


TARGET = Target("store", run, seeds, tokens=['[["', '"],["stop"]]', "null", "[]", "x\x9c"], longest=300)
