"""Reading a journal: for replay, for reports, for whoever watches a run from another process.

Knows neither the algorithm nor the models, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gpo.model.model import Reply, Request
from gpo.model.tally import Tally
from gpo.storage import codec
from gpo.storage import journal_schema as tables
from gpo.storage.database import connect_readonly, translated, whole

_REPLY_COLUMNS = "role, source, prompt_tokens, completion_tokens, cached_tokens, seconds, reply"
_GET_CALL = f"SELECT {_REPLY_COLUMNS} FROM calls WHERE key = ?"


@dataclass(frozen=True, slots=True)
class RecordedReply:
    """An answer from the journal and the role whose call it was."""

    role: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A whole call, for people. `started` is in seconds since 1970."""

    role: str
    request: Request
    reply: Reply
    started: float


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """What one call used, without its texts. `started` is in seconds since 1970."""

    key: str
    role: str
    purpose: str
    source: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    started: float
    seconds: float


@dataclass(frozen=True, slots=True)
class RecordedScore:
    """What one prompt got on one example.

    `value` is None where the example could not be scored; `unreadable` says that the model answered and no
    answer could be read from it. `prediction` is what was read, as JSON (a tuple comes back as a list).
    `calls` are the keys of the calls it rests on, one a round.
    """

    prompt_id: str
    split: str
    example_id: str
    value: float | None
    prediction: Any
    unreadable: bool
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: a failure, a warning, the start or end of a process. `at`: seconds since 1970."""

    at: float
    kind: str
    data: Any


class JournalReader:
    """Reads a journal, also from another process while the run goes on.

    Every method raises `RunError` with one line where the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = connect_readonly(path, tables.JOURNAL)

    @property
    def empty(self) -> bool:
        """True where the process that made the file was killed before it had made the tables."""
        return not next(self._rows("SELECT count(*) FROM sqlite_master"))[0]

    @property
    def has_calls(self) -> bool:
        """True from the first recorded answer on."""
        return bool(next(self._rows("SELECT EXISTS (SELECT 1 FROM calls)"))[0])

    def get_call(self, key: str) -> RecordedReply | None:
        """The recorded answer to the call `key`."""
        with translated(self.path, tables.JOURNAL):
            row = self._reader.execute(_GET_CALL, (key,)).fetchone()
        if row is None:
            return None
        return RecordedReply(row[0], self._reply(key, row[1:]))

    def calls(self, keys: Sequence[str] | None = None) -> Iterator[RecordedCall]:
        """Whole calls in the order in which they were recorded, or those of `keys` in the order of `keys`."""
        query = f"SELECT key, purpose, started, request, {_REPLY_COLUMNS} FROM calls"
        if keys is None:
            rows: Iterator[Any] = self._rows(f"{query} ORDER BY rowid")
        else:
            rows = (row for key in keys for row in self._rows(f"{query} WHERE key = ?", (key,)))
        for key, purpose, started, request, role, *reply in rows:
            with whole(self.path, tables.JOURNAL):
                asked = codec.unpack_request(request, purpose)
            yield RecordedCall(role, asked, self._reply(key, reply), started)

    def ledger(self) -> Iterator[LedgerLine]:
        """All calls in the order in which they were recorded; their texts are not read."""
        query = """SELECT key, role, purpose, source, prompt_tokens, completion_tokens, cached_tokens, started, seconds
            FROM calls ORDER BY rowid"""
        for row in self._rows(query):
            yield LedgerLine(*row)

    def totals(self) -> dict[str, Tally]:
        """What every role used over all processes of this run, also for calls that no replay asks for."""
        query = """SELECT role, source, count(*),
            sum(prompt_tokens), sum(completion_tokens), sum(cached_tokens)
            FROM calls GROUP BY role, source"""
        sums: dict[str, dict[str, int]] = {}
        for role, source, calls, prompt, completion, cached in self._rows(query):
            names = (
                ("calls", "prompt_tokens", "completion_tokens", "cached_tokens")
                if source == "sent"
                else ("cached", "saved_prompt_tokens", "saved_completion_tokens")
            )
            with whole(self.path, tables.JOURNAL):
                values = tuple(int(value) for value in (calls, prompt, completion, cached))
            sums.setdefault(role, {}).update(zip(names, values, strict=False))
        return {role: Tally(**fields) for role, fields in sums.items()}

    def get_meta(self, key: str) -> Any:
        """The JSON value under `key`, or None."""
        return next(
            (self._json(value) for (value,) in self._rows("SELECT value FROM meta WHERE key = ?", (key,))),
            None,
        )

    def steps(self) -> dict[int, Any]:
        """Step number to what the loop recorded about it, in order."""
        return {
            step: self._json(data) for step, data in self._rows("SELECT step, data FROM steps ORDER BY step")
        }

    def prompts(self) -> dict[str, str]:
        """Prompt id to text, in the order of their first step."""
        query = "SELECT id, text FROM prompts ORDER BY first_step, rowid"
        with whole(self.path, tables.JOURNAL):
            return {id_: codec.from_text(text) for id_, text in self._rows(query)}

    def scores(self, prompt_id: str | None = None, split: str | None = None) -> Iterator[RecordedScore]:
        """All scores, or those of one prompt or split."""
        query = f"""SELECT {", ".join(tables.SCORE.columns)} FROM scores
            WHERE (?1 IS NULL OR prompt_id = ?1) AND (?2 IS NULL OR split = ?2)"""
        for prompt, part, example, value, prediction, unreadable, calls in self._rows(
            query, (prompt_id, split)
        ):
            read = None if prediction is None else self._json(prediction)
            with whole(self.path, tables.JOURNAL):
                example_id, keys = codec.from_text(example), tuple(self._json(calls))
            yield RecordedScore(prompt, part, example_id, value, read, bool(unreadable), keys)

    def events(self, kind: str | None = None) -> Iterator[Event]:
        """All events in their order, or those of one kind."""
        query = "SELECT at, kind, data FROM events WHERE (?1 IS NULL OR kind = ?1) ORDER BY id"
        for at, what, data in self._rows(query, (kind,)):
            with whole(self.path, tables.JOURNAL):
                moment = float(at)
            yield Event(moment, what, self._json(data))

    def get_embedding(self, embedder: str, text_hash: str) -> bytes | None:
        """The vector's bytes as they were put."""
        query = "SELECT vector FROM embeddings WHERE embedder = ? AND text_hash = ?"
        for (vector,) in self._rows(query, (embedder, text_hash)):
            with whole(self.path, tables.JOURNAL):
                return bytes(memoryview(vector))  # of a number `bytes` would make as many zeros
        return None

    def seconds(self, now: float | None = None) -> float:
        """Wall time over all processes of this run; one that was killed counts to its last sign of life.

        The times of a journal only grow (`SessionClock`), whatever became of the wall clock.

        `now`: the end of a process that still runs (as in `time.time()`), where the caller knows of one.
        """
        starts = [event.at for event in self.events("start")]
        total = 0.0
        for index, start in enumerate(starts):
            until = starts[index + 1] if index + 1 < len(starts) else None
            if until is None and now is not None:
                total += max(0.0, now - start)
            else:
                total += max(0.0, self._last_sign(start, until) - start)
        return total

    def last_sign(self) -> float:
        """The latest time that this journal tells of, in seconds since 1970; 0 where there is none."""
        # Calls are recorded as they end, but for those that end at the same time.
        query = """SELECT max(at) FROM (
            SELECT max(at) AS at FROM events UNION ALL
            SELECT max(started + seconds) FROM (SELECT * FROM calls ORDER BY rowid DESC LIMIT 4096))"""
        (last,) = next(self._rows(query))
        with whole(self.path, tables.JOURNAL):
            return 0.0 if last is None else float(last)

    def close(self) -> None:
        """Close the file. May be called more than once."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _last_sign(self, start: float, until: float | None) -> float:
        query = """SELECT max(at) FROM (
            SELECT max(at) AS at FROM events WHERE at >= ?1 AND (?2 IS NULL OR at < ?2)
            UNION ALL
            SELECT max(started + seconds) FROM calls
                WHERE source = 'sent' AND started >= ?1 AND (?2 IS NULL OR started < ?2))"""
        (last,) = next(self._rows(query, (start, until)))
        with whole(self.path, tables.JOURNAL):
            found = start if last is None else float(last)
        return found if until is None else min(found, until)

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> Iterator[Any]:
        with translated(self.path, tables.JOURNAL):
            # Not `yield from`: it would close the cursor of a reader that may be closed already.
            for row in self._reader.execute(query, values):  # noqa: UP028
                yield row

    def _reply(self, key: str, row: Sequence[Any]) -> Reply:
        source, prompt_tokens, completion_tokens, cached_tokens, seconds, blob = row
        with whole(self.path, tables.JOURNAL):
            texts, finish_reasons = codec.unpack_reply(blob)
        return Reply(
            texts=texts,
            finish_reasons=finish_reasons,
            usage=codec.usage_of(prompt_tokens, completion_tokens, cached_tokens),
            seconds=seconds,
            call=key,
            source=source,
        )

    def _json(self, value: str | bytes) -> Any:
        with whole(self.path, tables.JOURNAL):
            return codec.from_json(value)
