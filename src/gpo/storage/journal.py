"""The journal of a run: every answer that the algorithm has seen, and what it concluded.

Reading is `gpo.storage.journal_reader`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from gpo.errors import RunError
from gpo.model.model import Reply, Request
from gpo.storage import codec
from gpo.storage import journal_schema as tables
from gpo.storage.checksum import compute_checksum
from gpo.storage.group_commit import BatchWriter, Row
from gpo.storage.journal_reader import JournalReader
from gpo.storage.journal_schema import JournalTable
from gpo.storage.records import RecordedReply, RecordedScore
from gpo.storage.session_clock import SessionClock
from gpo.storage.sqlite.database import connect, damaged_error, explain, translate_row_errors

LastWords = Callable[[Callable[[str], bool]], Mapping[str, Any]]


class Use(NamedTuple):
    """What a call used. A `plain` reply is one completion that ended by itself, of which nothing else was told."""

    role: str
    source: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    plain: bool


class Journal(JournalReader):
    """Opens or creates `path` and writes it; one process at a time (see `RunLock`).

    `put_call` and `flush` return when their rows are committed; the other `put_…` only queue theirs. After
    a failed write (a full disk, say) every further one raises the same `RunError`, and what was
    committed stays. Every row may be put again by a replay without harm.

    `last_words` is asked by `close` after a failed write, with a function that tells whether a call's key is recorded:
    the JSON values by key that it returns are tried once more, as a few bytes often fit where a batch did not.
    """

    def __init__(self, path: Path) -> None:
        connection = connect(path, tables.JOURNAL)
        self._writer = BatchWriter(connection, lambda error: explain(error, path, tables.JOURNAL))
        try:
            super().__init__(path, beside_writer=True)
        except BaseException:
            self._writer.close()
            raise
        try:
            self._refusals = self._recorded_refusals()
            self.recorded = self._recorded_uses()
            """What every call that was recorded before used, by its key."""
            # Most calls of a run are new: to know so without asking SQLite is a twentieth of a call's cost.
            self._keys = set(self.recorded)
            self._clock = SessionClock(self.last_sign())
        except BaseException:
            super().close()
            self._writer.close()
            raise
        self._session_open = False
        self._refused_now: set[str] = set()
        self.last_words: LastWords | None = None

    @property
    def failed(self) -> bool:
        """Whether a write failed, so that nothing more is recorded."""
        return self._writer.error is not None

    def now(self) -> float:
        """The time as this journal counts it: seconds since 1970, which only ever grow."""
        return self._clock.now()

    def get_call(self, key: str) -> RecordedReply | None:
        """The recorded answer to the call `key`."""
        return super().get_call(key) if key in self._keys else None

    async def put_call(
        self,
        role: str,
        request: Request,
        reply: Reply,
        *,
        key: str,
        started: float,
        packed: bytes | None = None,
    ) -> None:
        """Record an answer, which may be `packed` already; returns when a kill can no longer take it. `started` as of
        `now`."""
        usage = reply.usage
        packed = await codec.pack_waiting(reply) if packed is None else packed
        row = (
            key,
            role,
            request.purpose,
            reply.source,
            codec.count(usage.prompt_tokens),
            codec.count(usage.completion_tokens),
            codec.count(usage.cached_tokens),
            float(started),
            float(reply.seconds),
            packed,
            codec.pack_request(request),
        )
        self._keys.add(key)
        await self._writer.put_and_wait(tables.CALL.insert, add_checksum(row))

    def refusal(self, key: str) -> str | None:
        """Why the model could not answer the call `key`, where that was recorded."""
        return self._refusals.get(key)

    async def put_refusal(self, key: str, error: str) -> None:
        """Record that the model cannot answer a call; returns when that is committed."""
        self._refusals[key] = error
        self._refused_now.add(key)
        await self._writer.put_and_wait(tables.REFUSAL.insert, add_checksum((key, codec.to_text(error))))

    def forget_refusals(self) -> None:
        """Let the calls that were refused in this process be asked again by the next one."""
        for key in self._refused_now:
            self._put(tables.REFUSAL, (key, None))
            self._refusals.pop(key, None)
        self._refused_now.clear()

    def put_meta(self, key: str, value: Any) -> None:
        """Set the JSON value under `key`."""
        self._put(tables.META, (key, codec.to_json(value)))

    def put_step(self, step: int, data: Mapping[str, Any]) -> None:
        """Record a step, or replace what was recorded about it."""
        self._put(tables.STEP, (step, codec.to_json(data)))

    def put_prompt(self, id_: str, text: str, first_step: int | None = None) -> None:
        """Name a prompt; `first_step` is the step that brought it up, None before the first."""
        self._put(tables.PROMPT, (id_, first_step, codec.to_text(text)))

    def put_score(self, score: RecordedScore, feedback: str = "") -> None:
        """Record a score and what was said about it, or replace them."""
        if feedback:  # first: a score that is found again has its feedback
            example = codec.to_text(score.example_id)
            text = codec.to_text(feedback)
            self._put(tables.FEEDBACK, (score.prompt_id, score.split, example, text))
        prediction = None if score.prediction is None else codec.to_json(score.prediction)
        row = (
            score.prompt_id,
            score.split,
            codec.to_text(score.example_id),
            None if score.value is None else float(score.value),
            prediction,
            int(score.unreadable) + 2 * int(score.cut),
            codec.to_json(list(score.calls)),
        )
        self._put(tables.SCORE, row)

    def put_embedding(self, embedder: str, text_hash: str, vector: bytes) -> None:
        """Keep a vector, so that a replay needs no embedder."""
        self._put(tables.EMBEDDING, (embedder, text_hash, vector))

    def put_event(self, kind: str, data: Any = None, *, once: str | None = None) -> None:
        """Note what happened. An event with `once` is kept the first time only, also over resumes."""
        self._put(tables.EVENT, (self.now(), kind, once, codec.to_json(data)))

    def start_session(self, **data: Any) -> None:
        """Note that this process works on the run from now on; `close` notes the end."""
        self._session_open = True
        self.put_event("start", {"pid": os.getpid(), **data})

    def _put(self, table: JournalTable, row: Row) -> None:
        self._writer.put(table.insert, add_checksum(row))

    def _recorded_refusals(self) -> dict[str, str]:
        rows = self._records(tables.REFUSAL, "WHERE error IS NOT NULL")
        with translate_row_errors(self.path, tables.JOURNAL):
            return {key: codec.from_text(error) for key, error in rows}

    def _recorded_uses(self) -> dict[str, Use]:
        # Every call is read once and its checksum with it: damage is found before anything is done.
        found: dict[str, Use] = {}
        for row in self._records(tables.CALL, "NOT INDEXED"):
            found[row[0]] = Use(row[1], row[3], row[4], row[5], row[6], codec.is_plain(row[9]))
            if min(row[4:7]) < 0:
                self._refuse(tables.CALL, row, "has a count that cannot be")
        # A call that the index does not find would be made again, and be answered otherwise.
        keys = [key for (key,) in self._rows("SELECT key FROM calls INDEXED BY sqlite_autoindex_calls_1")]
        if len(keys) != len(found) or not all(key in found for key in keys):
            raise damaged_error(self.path, tables.JOURNAL, "table calls: its index does not fit")
        return found

    async def flush(self) -> None:
        """Return when everything put before is committed. Raises `RunError` where a write failed."""
        await self._writer.flush()

    def close(self) -> None:
        """Write what is queued and close. Never raises for a failed write: `flush` does."""
        if self._session_open and self._writer.error is None:
            self._session_open = False
            self.put_event("end", {"pid": os.getpid()})
        super().close()
        self._writer.close()
        if self.failed and self.last_words is not None:
            words, self.last_words = self.last_words, None
            self._say(words)

    def _say(self, words: LastWords) -> None:
        """Write the last words after a failed write. What the log holds goes into the file first, to make room."""
        try:
            connection = connect(self.path, tables.JOURNAL)
        except RunError:
            return
        query = "SELECT EXISTS (SELECT 1 FROM calls WHERE key = ?)"
        try:
            with suppress(sqlite3.Error):
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            said = words(lambda key: bool(connection.execute(query, (key,)).fetchone()[0]))
            connection.execute("BEGIN IMMEDIATE")
            for key, value in said.items():
                row = add_checksum((key, codec.to_json(value)))
                connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", row)
            connection.execute("COMMIT")
        except sqlite3.Error:
            pass  # what was set aside before the calls left is in the journal already
        finally:
            connection.close()


def add_checksum(row: Row) -> Row:
    """`row` with its checksum as the last column."""
    return (*row, compute_checksum(row))
