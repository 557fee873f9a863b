"""SQLite connections to files that may come from someone else: bounds what they may cost, and keeps track of the files
that this process has open."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakSet

from gpo.storage.sqlite.database_file import side_file

BUSY_SECONDS = 10.0
"""How long a connection waits for another process's lock."""

LONGEST_VALUE = 256 * 2**20
"""Bytes of a text or blob that a reader takes out of a file."""

_TICK = 100_000  # steps of SQLite's machine
_STEPS_A_BYTE = 8  # no row is smaller than 4 bytes and none of our queries takes 30 steps for one
_LEAST_TICKS = 100

_open: dict[tuple[int, int], WeakSet[Connection]] = {}
_opening = threading.Lock()


class Connection(sqlite3.Connection):
    """A connection whose every statement may take as many steps as the size of its file explains: pages that point to
    each other in a ring would keep one busy for ever."""

    _ticks = 0
    _most_ticks = 0
    _bounded: Path | None = None
    _copy: str | None = None
    _file: tuple[int, int] | None = None

    def bound(self, path: Path) -> None:
        """Bound what statements may take by the size of the file `path`, also as it grows, and the length of values."""
        self._bounded = path
        self.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        self.set_progress_handler(self._tick, _TICK)

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """As SQLite's; what it may take counts from here."""
        self._ticks = 0
        return super().execute(*arguments)

    def close(self) -> None:
        """Close, and delete the copy that was read in place of the file. May be called more than once."""
        with _opening:
            super().close()
            if self._file in _open:
                _open[self._file].discard(self)
                if not _open[self._file]:
                    del _open[self._file]
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)
            self._copy = None

    def _tick(self) -> bool:
        self._ticks += 1
        if self._ticks <= self._most_ticks or self._bounded is None:
            return False
        size = sum(_size(path) for path in (self._bounded, side_file(self._bounded, "-wal")))
        self._most_ticks = _LEAST_TICKS + _STEPS_A_BYTE * size // _TICK
        return self._ticks > self._most_ticks


def open_file(path: Path, options: str, inspect: Callable[[], None]) -> Connection:
    """A connection in autocommit mode that may be passed between threads; `options` follow the URI. `inspect` is
    called before, unless this process has the file open and has inspected it. Raises what both raise."""
    with _opening:
        if not _is_open(path):
            inspect()
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?{options}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            factory=Connection,
        )
        connection._file = _identity(path)
        if connection._file:
            _open.setdefault(connection._file, WeakSet()).add(connection)
    return connection


def open_copy(path: Path, inspect: Callable[[], None]) -> Connection:
    """A connection to a copy of `path` and of the log beside it, for a file that nobody works on and that reading would
    change. The copy lives as long as the connection."""
    folder = tempfile.mkdtemp(prefix="gpo-")
    try:
        with _opening:
            if not _is_open(path):
                inspect()
                for source in (path, side_file(path, "-wal")):
                    shutil.copyfile(source, Path(folder) / source.name, follow_symlinks=False)
        connection = open_file(Path(folder) / path.name, "mode=rw", lambda: None)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    connection._copy = folder
    return connection


def _is_open(path: Path) -> bool:
    identity = _identity(path)
    return identity is not None and bool(_open.get(identity))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
