"""Laws over arbitrary input: the readers end with a value or with one of our own errors, never otherwise."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpo.config.load import load_config, parse_config
from gpo.errors import GPOError
from gpo.model.model import Message, Reply, Request
from gpo.model.openai.format import decode
from gpo.optimizer.candidates import Guard, read_candidate
from gpo.optimizer.reply import read_reply
from gpo.run.layers.amount import prompt_bound
from gpo.storage.journal import Journal
from gpo.storage.journal_reader import JournalReader
from gpo.task.answer import answer_reader
from gpo.task.files.rows import read_rows

TEXT = st.text(st.characters(), max_size=200) | st.text("<START>END{}%\"'`:\n\\Prompt aeß0-9", max_size=200)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
KEYS = [
    "task",
    "data",
    "models",
    "model",
    "optimizer",
    "optimize",
    "method",
    "budget",
    "split",
    "answer",
    "name",
]
CONFIG = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.sampled_from(["gpo", "label", "", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=15,
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(CONFIG)
def test_any_mapping_is_a_configuration_or_our_error(data: Any) -> None:
    with contextlib.suppress(GPOError):
        parse_config(data)


@QUICK
@given(st.binary(max_size=300) | TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_file_or_our_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gpo.yaml"
        path.write_bytes(content)
        with contextlib.suppress(GPOError):
            load_config(path)
        for ending in ("csv", "json", "jsonl", "parquet"):
            path = Path(folder) / f"rows.{ending}"
            path.write_bytes(content)
            with contextlib.suppress(GPOError):
                read_rows(path)


@QUICK
@given(TEXT, TEXT)
def test_any_reply_is_read_or_unreadable(reply: str, question: str) -> None:
    readers = [
        answer_reader("label", labels=["left", "right", "a|b", "a, b"]),
        answer_reader("choice"),
        answer_reader("number"),
        answer_reader("boolean", targets=["Yes", "No"]),
        answer_reader("words"),
        answer_reader("text"),
    ]
    for reader in readers:
        reader.read(reply, question)


@QUICK
@given(TEXT, TEXT)
def test_any_reply_is_a_candidate_or_refused(raw: str, parent: str) -> None:
    guard = Guard(examples=[parent], initial=parent, columns=frozenset({"input"}), frozen=["ß"])
    found = read_candidate(raw, parent, guard)
    assert found.raw == raw
    assert read_reply(read_reply(raw)) is not None
    assert found.rejected is not None or "ß" in found.prompt


@QUICK
@given(JSON | st.fixed_dictionaries({"choices": JSON, "usage": JSON}))
def test_any_body_is_a_reply_or_our_error(body: Any) -> None:
    with contextlib.suppress(GPOError, ValueError):
        reply = decode(json.dumps(body).encode(), Request(n=2), "somewhere")
        assert 1 <= len(reply.texts) <= 2
        assert all(isinstance(text, str) for text in reply.texts)


@QUICK
@given(st.lists(TEXT, max_size=4))
def test_a_prompt_has_no_more_tokens_than_bytes(texts: list[str]) -> None:
    request = Request(messages=tuple(Message("user", text) for text in texts))
    assert prompt_bound(request) >= sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


@settings(QUICK, max_examples=25)
@given(st.data())
def test_a_journal_with_damaged_bytes_is_read_or_our_error(data: st.DataObject) -> None:
    import asyncio

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        with Journal(path) as journal:
            for i in range(5):
                request = Request(messages=(Message("user", f"q{i}" * 20),))
                reply = Reply(texts=("answer",))
                asyncio.run(journal.put_call("task", request, reply, key=f"{i:032x}", started=1.0))
            journal.put_step(0, {"step": 0})
            journal.put_event("start", {})
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 30))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        with contextlib.suppress(GPOError), JournalReader(path) as reader:
            list(reader.calls())
            reader.totals()
            reader.steps()
            list(reader.events())
            list(reader.scores())
            reader.seconds()


def test_a_journal_of_the_first_version_opens(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    connection = sqlite3.connect(path)
    for table in ("meta", "calls", "steps", "prompts", "scores", "embeddings", "events"):
        connection.execute(f"ALTER TABLE {table} DROP COLUMN checksum")
    connection.execute("DROP TABLE refusals")
    connection.execute("DROP TABLE feedback")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    with JournalReader(path) as reader:
        assert not reader.has_calls
    with Journal(path) as journal:
        assert journal.refusal("x") is None
