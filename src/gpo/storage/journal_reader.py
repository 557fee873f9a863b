"""Reads a journal: for replay, for reports, for whoever watches a run from another process."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import chain, groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from gpo.model.model import Reply
from gpo.model.tally import Tally
from gpo.storage import codec
from gpo.storage import journal_schema as tables
from gpo.storage.checked_reader import CheckedReader
from gpo.storage.records import Event, LedgerLine, RecordedCall, RecordedReply, RecordedScore
from gpo.storage.session_clock import LATEST
from gpo.storage.sqlite.database import (
    damaged_error,
    translate_row_errors,
)

_SOURCES = ("sent", "store")
_BATCH = 1000
_MOST_STEPS = 10**6


class JournalReader(CheckedReader):
    """Reads a journal, also from another process while the run goes on.

    Every method raises `RunError` with one line where the file is damaged.
    """

    def __init__(self, path: Path, *, beside_writer: bool = False) -> None:
        super().__init__(path, beside_writer=beside_writer)
        self._has_feedback = self.version >= tables.FEEDBACK_FROM

    @property
    def empty(self) -> bool:
        """True where the process that made the file was killed before it had made the tables."""
        return not next(self._rows("SELECT count(*) FROM sqlite_master"))[0]

    @property
    def has_calls(self) -> bool:
        """True from the first recorded answer on; what only tried an endpoint is none."""
        query = f"SELECT EXISTS (SELECT 1 FROM calls WHERE purpose <> '{tables.PROBE}')"
        return bool(next(self._rows(query))[0])

    def get_call(self, key: str) -> RecordedReply | None:
        """The recorded answer to the call `key`."""
        for row in self._records(tables.CALL, "WHERE key = ?", (key,)):
            return RecordedReply(row[1], self._reply(row))
        return None

    def calls(self, keys: Sequence[str] | None = None) -> Iterator[RecordedCall]:
        """Whole calls in the order in which they were recorded, or those of `keys` in the order of `keys`."""
        rows = self._records(tables.CALL, "ORDER BY rowid") if keys is None else self._calls_of(keys)
        for row in rows:
            with translate_row_errors(self.path, tables.JOURNAL):
                asked = codec.unpack_request(row[10], row[2])
            yield RecordedCall(row[1], asked, self._reply(row), row[7])

    def ledger(self) -> Iterator[LedgerLine]:
        """All calls in the order in which they were recorded; their texts are not read."""
        query = f"SELECT {', '.join(tables.CALL.columns[:9])} FROM calls ORDER BY rowid"
        known: set[tuple[type, ...]] = set()
        for row in self._rows(query):
            types = tuple(map(type, row))
            if types not in known:
                self._check_kinds(tables.CALL, row)
                known.add(types)
            line = LedgerLine._make(row)
            if not (0 <= row[7] < LATEST and 0 <= row[8] < LATEST) or row[4] < 0 or row[5] < 0 or row[6] < 0:
                self._refuse(tables.CALL, row, "has a time or a count that cannot be")
            yield line

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
            with translate_row_errors(self.path, tables.JOURNAL):
                values = tuple(int(value) for value in (calls, prompt, completion, cached))
            sums.setdefault(role, {}).update(zip(names, values, strict=False))
        return {role: Tally(**fields) for role, fields in sums.items()}

    def get_meta(self, key: str) -> Any:
        """The JSON value under `key`, or None."""
        rows = self._records(tables.META, "WHERE key = ?", (key,))
        return next((self._json(value, f"meta {key!a}") for _, value in rows), None)

    def steps(self) -> dict[int, Any]:
        """Step number to what the loop recorded about it, in order."""
        rows = self._records(tables.STEP, "ORDER BY step")
        found = {step: self._json(data, f"steps {step}") for step, data in rows}
        if any(not 0 <= step < _MOST_STEPS for step in found):
            raise damaged_error(self.path, tables.JOURNAL, "table steps: a number that cannot be")
        return found

    def prompts(self) -> dict[str, str]:
        """Prompt id to text, in the order of their first step."""
        rows = self._records(tables.PROMPT, "ORDER BY first_step, rowid")
        with translate_row_errors(self.path, tables.JOURNAL):
            return {id_: codec.from_text(text) for id_, _, text in rows}

    def scores(
        self, prompt_id: str | None = None, split: str | None = None, example_id: str | None = None
    ) -> Iterator[RecordedScore]:
        """All scores, or those of one prompt, split or example."""
        example = None if example_id is None else codec.to_text(example_id)
        asked = {"prompt_id": prompt_id, "split": split, "example_id": example}
        given = {name: value for name, value in asked.items() if value is not None}
        where = " AND ".join(f"{name} = ?" for name in given)
        rows = self._records(tables.SCORE, f"WHERE {where}" if where else "", tuple(given.values()))
        while some := list(islice(rows, _BATCH)):
            read = self._json_many([row[4] for row in some], "scores.prediction")
            calls = self._json_many([row[6] for row in some], "scores.calls")
            for row, prediction, keys in zip(some, read, calls, strict=True):
                if type(keys) is not list or set(map(type, keys)) - {str}:
                    self._refuse(tables.SCORE, row, "calls is no list of keys")
                if row[3] is not None and not 0 <= row[3] <= 1:
                    self._refuse(tables.SCORE, row, "value is not in 0..1")
                example = row[2] if type(row[2]) is str else self._text(row[2])
                unreadable, cut = bool(row[5] & 1), bool(row[5] & 2)
                yield RecordedScore(row[0], row[1], example, row[3], prediction, unreadable, tuple(keys), cut)

    def count_replies(self, split: str) -> tuple[int, int, int]:
        """Of the scores of `split` how many have a value, how many rest on replies that nothing could be read from, and
        how many on replies that broke off. Nothing is decoded: a run that goes on is counted again and again."""
        query = (
            "SELECT count(value), total(unreadable & 1 AND NOT unreadable & 2), total(unreadable & 2 != 0) "
            "FROM scores WHERE split = ?"
        )
        ((seen, unreadable, cut),) = self._rows(query, (split,))
        return int(seen), int(unreadable), int(cut)

    def score_calls(self, split: str) -> Iterator[tuple[str, list[str]]]:
        """For each prompt with scores of `split` its id and the keys of the calls that they rest on, in no order; what
        they are is not read."""
        query = "SELECT prompt_id, calls FROM scores WHERE split = ? ORDER BY prompt_id"
        for id_, rows in groupby(self._rows(query, (split,)), key=itemgetter(0)):
            found = self._json_many([row[1] for row in rows], "scores.calls")
            if type(id_) is not str or set(map(type, found)) - {list}:
                raise damaged_error(self.path, tables.JOURNAL, "table scores: calls is no list of keys")
            keys = list(chain.from_iterable(found))
            if set(map(type, keys)) - {str}:
                raise damaged_error(self.path, tables.JOURNAL, "table scores: calls is no list of keys")
            yield id_, keys

    def feedback(self, prompt_id: str, split: str, example_id: str) -> str:
        """What was said about one prompt's answer to one example; "" where nothing was."""
        if not self._has_feedback:
            return ""
        where = "WHERE prompt_id = ? AND split = ? AND example_id = ?"
        rows = self._records(tables.FEEDBACK, where, (prompt_id, split, codec.to_text(example_id)))
        return next((self._text(row[3]) for row in rows), "")

    def events(self, kind: str | None = None) -> Iterator[Event]:
        """All events in their order, or those of one kind."""
        rows = self._records(tables.EVENT, "WHERE (?1 IS NULL OR kind = ?1) ORDER BY id", (kind,))
        for at, what, _, data in rows:
            if not 0 <= at < LATEST:
                raise damaged_error(self.path, tables.JOURNAL, "table events: a time that cannot be")
            yield Event(at, what, self._json(data, "events.data"))

    def get_embedding(self, embedder: str, text_hash: str) -> bytes | None:
        """The vector's bytes as they were put."""
        where = "WHERE embedder = ? AND text_hash = ?"
        for _, _, vector in self._records(tables.EMBEDDING, where, (embedder, text_hash)):
            return bytes(vector)
        return None

    def seconds(self, now: float | None = None) -> float:
        """Wall time over all processes of this run; one that was killed counts to its last sign of life.

        The times of a journal only grow (`SessionClock`), whatever became of the wall clock.

        `now`: the end of a process that still runs (as in `time.time()`), where the caller knows of one.
        """
        starts = [event.at for event in self.events("start")]
        if not starts:
            return 0.0
        signs = self._last_signs(starts)
        ends = [*map(min, signs, starts[1:]), signs[-1] if now is None else now]
        return sum(max(0.0, end - start) for start, end in zip(starts, ends, strict=True))

    def last_sign(self) -> float:
        """The latest time that this journal tells of, in seconds since 1970; 0 where there is none."""
        # Calls are recorded as they end, but for those that end at the same time.
        query = """SELECT max(at) FROM (
            SELECT max(at) AS at FROM events UNION ALL
            SELECT max(started + seconds) FROM (SELECT * FROM calls ORDER BY rowid DESC LIMIT 4096))"""
        (last,) = next(self._rows(query))
        with translate_row_errors(self.path, tables.JOURNAL):
            return 0.0 if last is None else float(last)

    def _calls_of(self, keys: Sequence[str]) -> Iterator[Any]:
        for start in range(0, len(keys), _BATCH // 2):
            some = keys[start : start + _BATCH // 2]
            marks = ", ".join("?" * len(some))
            found = {
                row[0]: row for row in self._records(tables.CALL, f"WHERE key IN ({marks})", tuple(some))
            }
            yield from (found[key] for key in some if key in found)

    def _last_signs(self, starts: Sequence[float]) -> list[float]:
        """The last time that is told of each process that began at one of `starts` (in order)."""
        # All in one pass: a run that was started often has as many processes as calls.
        chosen = "max(at), started" if len(starts) == 1 else "at, started"
        query = f"""SELECT {chosen} FROM (
            SELECT at, at AS started FROM events UNION ALL
            SELECT started + seconds, started FROM calls WHERE source = 'sent') WHERE started >= ?"""
        found = list(starts)
        with translate_row_errors(self.path, tables.JOURNAL):
            for at, begun in self._rows(query, (starts[0],)):
                index = bisect_right(starts, begun) - 1
                found[index] = max(found[index], float(at))
        return found

    def _reply(self, row: Sequence[Any]) -> Reply:
        key, _, _, source, prompt_tokens, completion_tokens, cached_tokens, _, seconds, blob, _ = row
        if source not in _SOURCES:
            self._refuse(tables.CALL, row, "source is none of sent, store")
        with translate_row_errors(self.path, tables.JOURNAL):
            return codec.unpack_reply(
                blob,
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
                cached_tokens=cached_tokens,
                seconds=seconds,
                call=key,
                source=source,
            )
