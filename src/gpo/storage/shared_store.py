"""The user's store of deterministic calls, shared by all runs and processes: nothing is paid for twice.

It is a convenience: when it cannot be used, a warning says so and all goes on without it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gpo.errors import GPOError
from gpo.model.model import Reply
from gpo.model.reasoning import without_reasoning
from gpo.paths import home
from gpo.storage import codec
from gpo.storage.checksum import compute_checksum
from gpo.storage.group_commit import BatchWriter, Insert
from gpo.storage.regular_file import PRIVATE_FOLDER
from gpo.storage.sqlite.database import Schema, connect, connect_readonly, explain

_LAG = 0.1
"""Seconds after which other processes see an answer: nobody waits for it, and a commit for each few costs."""
_FRESH = 1.0
"""Seconds that an answer is also kept in memory, where this process finds it before it is committed."""

_VERSION_1 = (
    """CREATE TABLE calls (
        key TEXT PRIMARY KEY,
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        created REAL NOT NULL,
        seconds REAL NOT NULL,
        reply BLOB NOT NULL)""",
)

# See `gpo.storage.checksum`; NULL in rows that an older GPO wrote.
_VERSION_2 = ("ALTER TABLE calls ADD COLUMN checksum INTEGER",)

STORE = Schema(
    name="store of calls",
    application_id=0x47504F53,  # "GPOS"
    migrations=(_VERSION_1, _VERSION_2),
    if_unwritable="make its folder writable or set GPO_HOME to one that is",
    if_damaged="delete it, a new one is made",
)

_COLUMNS = ("key", "prompt_tokens", "completion_tokens", "cached_tokens", "created", "seconds", "reply")
_KINDS = (str, int, int, int, float, float, bytes)
_CALL = Insert("calls", (*_COLUMNS, "checksum"), "IGNORE")
_MENDED = Insert("calls", (*_COLUMNS, "checksum"), "REPLACE")
_GET = f"SELECT {', '.join(_COLUMNS)}, checksum FROM calls WHERE key = ?"


class SharedStore:
    """Answers to calls at temperature 0, by key; safe with several processes. See `SharedStore.open`."""

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self._path = path
        self._warn = warn
        self._broken = False
        self._bad: set[str] = set()
        self._fresh: dict[str, tuple[float, tuple[Any, ...]]] = {}
        self._writer = BatchWriter(connect(path, STORE), lambda error: explain(error, path, STORE), lag=_LAG)
        try:
            self._reader = connect_readonly(path, STORE, beside_writer=True)
        except BaseException:
            self._writer.close()
            raise

    @classmethod
    def open(cls, path: Path | None = None, *, warn: Callable[[str], None]) -> SharedStore | None:
        """The store at `path` (default: store.sqlite in `gpo.paths.home()`), or None after one warning."""
        path = path or home() / "store.sqlite"
        try:
            path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            return cls(path, warn)
        except GPOError as error:
            warn(_without(str(error)))
        except OSError as error:
            warn(_without(f"{path.parent}: cannot be created ({error.strerror}); {STORE.if_unwritable}"))
        return None

    def get(self, key: str) -> Reply | None:
        """The stored answer, marked as from the "store". None where there is none or the store has failed, and, after
        one warning for all of them, where it is not as GPO wrote it: the next answer takes its place."""
        if self._broken or key in self._bad:
            return None
        try:
            row = self._reader.execute(_GET, (key,)).fetchone() or self._fresh_row(key)
            if row is None:
                return None
            *_, prompt_tokens, completion_tokens, cached_tokens, _, seconds, blob = _checked(
                row[:-1], row[-1]
            )
            reply = codec.unpack_reply(
                blob,
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
                cached_tokens=cached_tokens,
                seconds=seconds,
                call=key,
                source="store",
            )
            if not reply.texts:
                raise ValueError("has no text")
        except sqlite3.Error as error:
            self._give_up(explain(error, self._path, STORE))
            return None
        except (ValueError, RecursionError):
            if not self._bad:
                self._warn(
                    f"{self._path}: an entry of the store of calls is damaged (call {key}); it is asked for again"
                )
            self._bad.add(key)
            return None
        # An older GPO kept replies with what was thought in them.
        return without_reasoning(reply)

    def put(self, key: str, reply: Reply, packed: bytes | None = None) -> None:
        """Keep an answer, which may be `packed` already, for other runs, without waiting for the disk; the first one to
        a call stays."""
        if self._broken:
            return
        usage = reply.usage
        row = (
            key,
            codec.count(usage.prompt_tokens),
            codec.count(usage.completion_tokens),
            codec.count(usage.cached_tokens),
            time.time(),
            float(reply.seconds),
            codec.pack_reply(reply) if packed is None else packed,
        )
        complete = (*row, compute_checksum(row))
        self._remember(key, complete)
        try:
            self._writer.put(_MENDED if key in self._bad else _CALL, complete)
        except GPOError as error:
            self._give_up(error)

    def close(self) -> None:
        """Write what is queued and close. May be called more than once."""
        self._reader.close()
        self._writer.close()
        if self._writer.error and not self._broken:
            self._give_up(self._writer.error)
        self._broken = True

    def _fresh_row(self, key: str) -> tuple[Any, ...] | None:
        found = self._fresh.get(key)
        return found[1] if found else None

    def _remember(self, key: str, row: tuple[Any, ...]) -> None:
        now = time.monotonic()
        while self._fresh and now - self._fresh[first := next(iter(self._fresh))][0] > _FRESH:
            del self._fresh[first]
        self._fresh.setdefault(key, (now, row))

    def _give_up(self, error: GPOError) -> None:
        self._broken = True
        self._warn(_without(str(error)))


def _checked(row: tuple[Any, ...], checksum: int | None) -> tuple[Any, ...]:
    """`row` itself. Raises `ValueError` where it does not fit its checksum or has a value of another type."""
    if checksum is not None and checksum != compute_checksum(row):
        raise ValueError("does not fit its checksum")
    if not all(isinstance(value, kind) for value, kind in zip(row, _KINDS, strict=True)):
        raise ValueError("has a value of another type")
    return row


def _without(line: str) -> str:
    return f"going on without the store of calls: {line}"
