"""Group commit: one thread writes whatever has queued up in one transaction, then tells those who wait.

Thousands of rows a second are written in this way, and the event loop never waits for the disk.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gpo.errors import GPOError, RunError
from gpo.storage.checksum import Value

Row = tuple[Value, ...]
_Waiter = asyncio.Future[None]

_GATHER = 0.004  # seconds
_GATHER_MOST = 0.016  # seconds, where a batch holds so many rows that one more wait saves a commit
_BUSY = 6  # rows of a batch from which the next one gathers longer
_MOST_ROWS = 2000  # a transaction; bounds how long one keeps its waiters
_CHUNKS = (64, 16, 4, 1)  # rows a statement; 64 × 13 columns stay under SQLite's old limit of 999 variables


@dataclass(frozen=True, slots=True)
class Insert:
    """Where a row goes, and what happens to one that is there already: OR IGNORE keeps it."""

    table: str
    columns: tuple[str, ...]
    conflict: Literal["IGNORE", "REPLACE"]


class BatchWriter:
    """Owns `connection` from now on and closes it.

    After the first error nothing more is written: every waiting and every later caller gets that error, as
    `explain` words it. `lag`: seconds that rows may wait for others where nobody waits for them.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        explain: Callable[[Exception], GPOError],
        *,
        lag: float = 0.0,
    ) -> None:
        self._connection = connection
        self._explain = explain
        self._queue: queue.SimpleQueue[tuple[Insert | None, Row, _Waiter | None] | None] = queue.SimpleQueue()
        self._error: GPOError | None = None
        self._closed = False
        self._lag = lag
        self._hurry = threading.Event()  # somebody waits for what is gathered
        # A daemon: a process that dies without closing must not hang. What was acknowledged is on the disk.
        self._thread = threading.Thread(target=self._run, name="gpo-writer", daemon=True)
        self._thread.start()

    def put(self, insert: Insert, row: Row) -> None:
        """Queue a row without waiting. Raises the writer's error, if there was one."""
        self._check()
        self._queue.put((insert, row, None))

    async def put_and_wait(self, insert: Insert, row: Row) -> None:
        """Queue a row and return when it is committed. A cancelled caller's row is written all the same."""
        self._check()
        waiter: _Waiter = asyncio.get_running_loop().create_future()
        self._queue.put((insert, row, waiter))
        await waiter

    async def flush(self) -> None:
        """Return when everything queued before is committed. Raises the writer's error, if there was one."""
        self._check()
        waiter: _Waiter = asyncio.get_running_loop().create_future()
        self._queue.put((None, (), waiter))
        self._hurry.set()
        await waiter

    def close(self) -> None:
        """Write what is queued, end the thread and close the connection. May be called more than once.

        Does not raise the writer's error: `flush` does.
        """
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._hurry.set()
        self._thread.join()
        self._connection.close()

    @property
    def error(self) -> GPOError | None:
        """What stopped the writer, if anything did."""
        return self._error

    def _check(self) -> None:
        if self._error is not None:
            # A fresh instance: one that many tasks raise would gather all their tracebacks.
            raise type(self._error)(str(self._error)) from self._error
        if self._closed:
            raise RunError("the run was closed while it was still being written")

    def _run(self) -> None:
        open_, busy = True, False
        while open_:
            rows: dict[Insert, list[Row]] = defaultdict(list)
            waiters: list[_Waiter] = []
            item = self._queue.get()
            if item is not None:
                self._gather(busy)
            for left in range(_MOST_ROWS, 0, -1):
                if item is None:
                    open_ = False
                    break
                insert, row, waiter = item
                if insert is not None:
                    rows[insert].append(row)
                if waiter is not None:
                    waiters.append(waiter)
                if left == 1:
                    break
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
            busy = sum(map(len, rows.values())) >= _BUSY
            self._write(rows)
            _resolve(waiters, self._error)

    def _gather(self, busy: bool) -> None:
        """Wait for more rows to come."""
        # A call waits for its row to be on the disk, but no place for another call waits with it: a moment later the
        # transaction holds a dozen rows in place of one. A `flush` is what places may wait for.
        if self._lag:
            self._hurry.wait(self._lag)
        else:
            time.sleep(_GATHER)
            if busy:
                self._hurry.wait(_GATHER_MOST - _GATHER)
        self._hurry.clear()

    def _write(self, rows: dict[Insert, list[Row]]) -> None:
        if self._error is not None or not rows:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for insert, many in rows.items():
                _insert_many(self._connection, insert, many)
            self._connection.execute("COMMIT")
        except Exception as error:  # whatever it is, those who wait must hear of it
            self._error = self._explain(error)
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                pass  # SQLite has rolled back by itself


def _insert_many(connection: sqlite3.Connection, insert: Insert, rows: list[Row]) -> None:
    # Many rows a statement: the interpreter's lock is given away once a statement, and to get it back from a
    # busy event loop takes longer than the insertion.
    start = 0
    for size in _CHUNKS:
        while len(rows) - start >= size:
            values = [value for row in rows[start : start + size] for value in row]
            connection.execute(_statement(insert, size), values)
            start += size


@lru_cache(maxsize=256)
def _statement(insert: Insert, rows: int) -> str:
    row = f"({','.join('?' * len(insert.columns))})"
    columns = ",".join(insert.columns)
    return f"INSERT OR {insert.conflict} INTO {insert.table} ({columns}) VALUES {','.join([row] * rows)}"


def _resolve(waiters: list[_Waiter], error: GPOError | None) -> None:
    """Wake the waiters with one message an event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Waiter]] = defaultdict(list)
    for waiter in waiters:
        by_loop[waiter.get_loop()].append(waiter)
    for loop, some in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, some, error)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more


def _settle(waiters: list[_Waiter], error: GPOError | None) -> None:
    for waiter in waiters:
        if waiter.done():
            continue
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(type(error)(str(error)))
