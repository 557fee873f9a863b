"""The writer of batches: rows may wait for others, but nobody waits longer than for a commit."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from gpo.errors import RunError
from gpo.storage import group_commit
from gpo.storage.group_commit import BatchWriter, Insert

ROW = Insert("rows", ("id",), "IGNORE")
FOREVER = 300.0  # seconds, longer than any test may take
PATIENCE = 20.0


def open_writer(path: Path, lag: float = 0.0) -> BatchWriter:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY)")
    return BatchWriter(connection, lambda error: RunError(str(error)), lag=lag)


def count(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM rows").fetchone()[0])
    finally:
        connection.close()


async def test_a_flush_ends_the_wait_for_other_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    writer = open_writer(path, lag=FOREVER)
    for id_ in range(3):
        writer.put(ROW, (id_,))
        await asyncio.wait_for(writer.flush(), PATIENCE)
        assert count(path) == id_ + 1
    writer.put(ROW, (3,))
    await asyncio.wait_for(asyncio.to_thread(writer.close), PATIENCE)
    assert count(path) == 4


async def test_a_flush_ends_the_longer_wait_of_busy_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "_GATHER_MOST", FOREVER)
    path = tmp_path / "rows.sqlite"
    writer = open_writer(path)
    for start in range(0, 60, 20):
        for id_ in range(start, start + 20):
            writer.put(ROW, (id_,))
        await asyncio.wait_for(writer.flush(), PATIENCE)
        assert count(path) == start + 20
    writer.put(ROW, (60,))
    await asyncio.wait_for(asyncio.to_thread(writer.close), PATIENCE)
    assert count(path) == 61


async def test_rows_wait_for_others_where_nobody_waits_for_them(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    writer = open_writer(path, lag=FOREVER)
    for id_ in range(3):
        writer.put(ROW, (id_,))
        await asyncio.sleep(0.02)
    assert count(path) == 0
    await asyncio.wait_for(asyncio.to_thread(writer.close), PATIENCE)
    assert count(path) == 3
