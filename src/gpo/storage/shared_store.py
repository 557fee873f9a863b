"""The user's store of deterministic calls, shared by all runs and processes: nothing is paid for twice.

Knows no run. It is a convenience: when it cannot be used, a warning says so and all goes on without it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from gpo.errors import GPOError
from gpo.model.model import Reply
from gpo.model.reasoning import without_reasoning
from gpo.paths import home
from gpo.storage import codec
from gpo.storage.database import Schema, connect, connect_readonly, damaged, explain
from gpo.storage.group_commit import BatchWriter, Insert

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

STORE = Schema(
    name="store of calls",
    application_id=0x47504F53,  # "GPOS"
    migrations=(_VERSION_1,),
    if_unwritable="make its folder writable or set GPO_HOME to one that is",
    if_damaged="delete it, a new one is made",
)

_CALL = Insert(
    "calls",
    ("key", "prompt_tokens", "completion_tokens", "cached_tokens", "created", "seconds", "reply"),
    "IGNORE",
)
_GET = "SELECT prompt_tokens, completion_tokens, cached_tokens, seconds, reply FROM calls WHERE key = ?"


class SharedStore:
    """Answers to calls at temperature 0, by key; safe with several processes. See `SharedStore.open`."""

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self._path = path
        self._warn = warn
        self._broken = False
        self._writer = BatchWriter(connect(path, STORE), lambda error: explain(error, path, STORE))
        try:
            self._reader = connect_readonly(path, STORE)
        except BaseException:
            self._writer.close()
            raise

    @classmethod
    def open(cls, path: Path | None = None, *, warn: Callable[[str], None]) -> SharedStore | None:
        """The store at `path` (default: store.sqlite in `gpo.paths.home()`), or None after one warning."""
        path = path or home() / "store.sqlite"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return cls(path, warn)
        except GPOError as error:
            warn(_without(str(error)))
        except OSError as error:
            warn(_without(f"{path.parent}: cannot be created ({error.strerror}); {STORE.if_unwritable}"))
        return None

    def get(self, key: str) -> Reply | None:
        """The stored answer, marked as from the "store". None where there is none or the store has failed."""
        if self._broken:
            return None
        try:
            row = self._reader.execute(_GET, (key,)).fetchone()
            if row is None:
                return None
            prompt_tokens, completion_tokens, cached_tokens, seconds, blob = row
            reply = codec.unpack_reply(
                blob,
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
                cached_tokens=cached_tokens,
                seconds=seconds,
                call=key,
                source="store",
            )
        except sqlite3.Error as error:
            self._give_up(explain(error, self._path, STORE))
            return None
        except ValueError:
            self._give_up(damaged(self._path, STORE))
            return None
        # An older GPO kept replies with what was thought in them.
        return without_reasoning(reply)

    def put(self, key: str, reply: Reply) -> None:
        """Keep an answer for other runs, without waiting for the disk; the first one to a call stays."""
        if self._broken:
            return
        usage = reply.usage
        row = (
            key,
            codec.count(usage.prompt_tokens),
            codec.count(usage.completion_tokens),
            codec.count(usage.cached_tokens),
            time.time(),
            reply.seconds,
            codec.pack_reply(reply),
        )
        try:
            self._writer.put(_CALL, row)
        except GPOError as error:
            self._give_up(error)

    def close(self) -> None:
        """Write what is queued and close. May be called more than once."""
        self._reader.close()
        self._writer.close()
        if self._writer.error and not self._broken:
            self._give_up(self._writer.error)
        self._broken = True

    def _give_up(self, error: GPOError) -> None:
        self._broken = True
        self._warn(_without(str(error)))


def _without(line: str) -> str:
    return f"going on without the store of calls: {line}"
