"""The journal's tables, by version, and how rows go into them. Knows no query.

Small columns stand before large ones, so that totals are read without touching the texts.
"""

from __future__ import annotations

from gpo.storage.database import Schema
from gpo.storage.group_commit import Insert

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

JOURNAL = Schema(
    name="journal",
    application_id=0x47504F4A,  # "GPOJ"
    migrations=(_VERSION_1, _VERSION_2),
    survives_power_loss=True,
    if_unwritable="make the folder writable or choose another run directory",
    if_damaged="restore it from a copy, or move the run directory away and start anew",
)

META = Insert("meta", ("key", "value"), "REPLACE")
# The first answer is the one that the algorithm has seen: it stays.
CALL = Insert(
    "calls",
    (
        "key",
        "role",
        "purpose",
        "source",
        "prompt_tokens",
        "completion_tokens",
        "cached_tokens",
        "started",
        "seconds",
        "reply",
        "request",
    ),
    "IGNORE",
)
STEP = Insert("steps", ("step", "data"), "REPLACE")
PROMPT = Insert("prompts", ("id", "first_step", "text"), "IGNORE")
SCORE = Insert(
    "scores",
    ("prompt_id", "split", "example_id", "value", "prediction", "unreadable", "calls"),
    "REPLACE",
)
EMBEDDING = Insert("embeddings", ("embedder", "text_hash", "vector"), "IGNORE")
REFUSAL = Insert("refusals", ("key", "error"), "REPLACE")
EVENT = Insert("events", ("at", "kind", "once", "data"), "IGNORE")
