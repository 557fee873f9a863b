"""The journal's tables, by version, and how rows go into them.

Small columns stand before large ones, so that totals are read without touching the texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gpo.storage.group_commit import Insert
from gpo.storage.sqlite.database import Schema

PROBE = "probe"
"""The purpose of a call that only tries an endpoint: it decides nothing that a run comes to."""

_VERSION_1 = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE calls (
        key TEXT PRIMARY KEY,
        role TEXT NOT NULL,
        purpose TEXT NOT NULL,
        source TEXT NOT NULL CHECK (source IN ('sent', 'store')),
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        started REAL NOT NULL,
        seconds REAL NOT NULL,
        reply BLOB NOT NULL,
        request BLOB NOT NULL)""",
    "CREATE TABLE steps (step INTEGER PRIMARY KEY, data TEXT NOT NULL)",
    "CREATE TABLE prompts (id TEXT PRIMARY KEY, first_step INTEGER, text TEXT NOT NULL)",
    """CREATE TABLE scores (
        prompt_id TEXT NOT NULL,
        split TEXT NOT NULL,
        example_id TEXT NOT NULL,
        value REAL,
        prediction TEXT,
        unreadable INTEGER NOT NULL,
        calls TEXT NOT NULL,
        PRIMARY KEY (prompt_id, split, example_id)) WITHOUT ROWID""",
    """CREATE TABLE embeddings (
        embedder TEXT NOT NULL, text_hash TEXT NOT NULL, vector BLOB NOT NULL,
        PRIMARY KEY (embedder, text_hash))""",
    """CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        kind TEXT NOT NULL,
        once TEXT UNIQUE,
        data TEXT NOT NULL)""",
)

# Calls that the model cannot answer, whoever asks (a content filter, a context overflow): a replay must leave out the
# same examples. NULL where it is to be asked again.
_VERSION_2 = ("CREATE TABLE refusals (key TEXT PRIMARY KEY, error TEXT)",)

_TABLES = ("meta", "calls", "refusals", "steps", "prompts", "scores", "embeddings", "events")

# See `gpo.storage.checksum`; NULL in rows that an older GPO wrote.
_VERSION_3 = tuple(f"ALTER TABLE {table} ADD COLUMN checksum INTEGER" for table in _TABLES)
# What an own metric or a judge said about an answer beside its value; such scores alone have a row.
_VERSION_4 = (
    """CREATE TABLE feedback (
        prompt_id TEXT NOT NULL,
        split TEXT NOT NULL,
        example_id TEXT NOT NULL,
        text TEXT NOT NULL,
        checksum INTEGER,
        PRIMARY KEY (prompt_id, split, example_id)) WITHOUT ROWID""",
)

CHECKED_FROM = 3
"""The version from which rows have a checksum."""
FEEDBACK_FROM = 4
"""The version from which there is a table of feedback."""

JOURNAL = Schema(
    name="journal",
    application_id=0x47504F4A,  # "GPOJ"
    migrations=(_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4),
    survives_power_loss=True,
    if_unwritable="make the folder writable or choose another run directory",
    if_damaged="restore it from a copy, or move the run directory away and start anew",
)

_Kind = type | tuple[type, ...]
_TEXT: _Kind = (str, bytes)  # see `gpo.storage.codec.to_text`
_NONE = type(None)


@dataclass(frozen=True, slots=True)
class JournalTable:
    """How rows go into a table and what they are when they come out: SQLite keeps any type in any column."""

    insert: Insert
    columns: tuple[str, ...]
    kinds: tuple[_Kind, ...]


def _table(name: str, conflict: Literal["IGNORE", "REPLACE"], **columns: _Kind) -> JournalTable:
    return JournalTable(
        Insert(name, (*columns, "checksum"), conflict), tuple(columns), tuple(columns.values())
    )


META = _table("meta", "REPLACE", key=str, value=_TEXT)
# The first answer is the one that the algorithm has seen: it stays.
CALL = _table(
    "calls",
    "IGNORE",
    key=str,
    role=str,
    purpose=str,
    source=str,
    prompt_tokens=int,
    completion_tokens=int,
    cached_tokens=int,
    started=float,
    seconds=float,
    reply=bytes,
    request=bytes,
)
STEP = _table("steps", "REPLACE", step=int, data=_TEXT)
PROMPT = _table("prompts", "IGNORE", id=str, first_step=(int, _NONE), text=_TEXT)
SCORE = _table(
    "scores",
    "REPLACE",
    prompt_id=str,
    split=str,
    example_id=_TEXT,
    value=(float, _NONE),
    prediction=(str, bytes, _NONE),
    unreadable=int,
    calls=_TEXT,
)
FEEDBACK = _table("feedback", "REPLACE", prompt_id=str, split=str, example_id=_TEXT, text=_TEXT)
EMBEDDING = _table("embeddings", "IGNORE", embedder=str, text_hash=str, vector=bytes)
REFUSAL = _table("refusals", "REPLACE", key=str, error=(str, bytes, _NONE))
EVENT = _table("events", "IGNORE", at=float, kind=str, once=(str, _NONE), data=_TEXT)
