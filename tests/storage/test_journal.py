"""The journal from outside: kills, full disks, damage, old versions, and texts that models really write."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpo.errors import RunError
from gpo.model.model import Message, Reply, Request, Usage
from gpo.model.tally import Tally
from gpo.run.embeddings import remember_embeddings
from gpo.storage import journal_schema as tables
from gpo.storage.journal import Journal
from gpo.storage.journal_reader import JournalReader
from gpo.storage.records import RecordedScore
from gpo.storage.sqlite.database import Schema, connect
from tests.run.support import ask, unprivileged
from tests.support import forked

any_text = st.text(alphabet=st.characters(exclude_categories=()), max_size=40)

WRITER = textwrap.dedent(
    """
    import asyncio, itertools, sys
    from pathlib import Path
    from gpo.model.model import Message, Reply, Request
    from gpo.storage.journal import Journal

    async def main(path, label):
        journal = Journal(Path(path))
        journal.start_session()
        numbers = itertools.count()

        async def work():
            for number in numbers:
                key = f"{label}-{number}"
                request = Request(messages=(Message("user", key * 50),))
                await journal.put_call("task", request, Reply(texts=(key * 100,)), key=key, started=0.0)
                journal.put_step(number, {"number": number})
                sys.stdout.write(key + "\\n")
                sys.stdout.flush()

        await asyncio.gather(*(work() for _ in range(20)))

    asyncio.run(main(*sys.argv[1:]))
    """
)


def reply(text: str = "yes", **usage: int) -> Reply:
    return Reply(texts=(text,), finish_reasons=("stop",), usage=Usage(**usage), seconds=0.5)


async def put(journal: Journal, key: str, answer: Reply, role: str = "task") -> None:
    await journal.put_call(role, ask(key), answer, key=key, started=100.0)


def test_every_acknowledged_call_survives_sigkill_at_any_instant(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    rng = random.Random(5)
    acknowledged: list[str] = []
    for round_ in range(15):
        with forked.start(WRITER, path, str(round_)) as child:
            assert child.stdout is not None
            acknowledged.append(child.stdout.readline().strip())
            time.sleep(rng.random() * 0.04)
            child.send_signal(signal.SIGKILL)
            # The last line may be cut off by the kill; only whole lines are acknowledgements.
            rest = child.stdout.read()
            acknowledged += [line.strip() for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    assert len(acknowledged) > 100
    with Journal(path) as journal:
        for key in acknowledged:
            found = journal.get_call(key)
            assert found is not None, key
            assert found.reply.text == key * 100
    check = sqlite3.connect(path)
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check.close()


async def test_a_call_comes_back_as_it_was_put(tmp_path: Path) -> None:
    request = Request(
        messages=(Message("system", "s"), Message("user", "q" * 5000)),
        temperature=0.7,
        max_tokens=9,
        n=2,
        seed=4,
        stop=("\n",),
        sample=3,
        purpose="candidates",
    )
    answer = Reply(
        texts=("one", "two"),
        finish_reasons=("stop", "length"),
        usage=Usage(prompt_tokens=7, completion_tokens=5, cached_tokens=2),
        seconds=1.5,
    )
    with Journal(tmp_path / "journal.sqlite") as journal:
        await journal.put_call("optimizer", request, answer, key="ab", started=12.0)
        found = journal.get_call("ab")
        assert found is not None
        assert found.role == "optimizer"
        assert found.reply == Reply(
            texts=answer.texts,
            finish_reasons=answer.finish_reasons,
            usage=answer.usage,
            seconds=1.5,
            call="ab",
        )
        (call,) = journal.calls()
        assert (call.role, call.request, call.started) == ("optimizer", request, 12.0)
        assert [call.reply.call for call in journal.calls(["ab", "unknown"])] == ["ab"]
        assert journal.get_call("cd") is None


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(any_text, min_size=1, max_size=4), big=st.booleans())
def test_any_text_survives(texts: list[str], big: bool) -> None:
    texts = [*texts, "\ud83d\ude00", "\x00", "\ud800"]
    texts = [text * 500 for text in texts] if big else texts

    async def round_trip(path: Path) -> None:
        with Journal(path) as journal:
            request = Request(messages=tuple(Message("user", text) for text in texts), purpose="score")
            await journal.put_call("task", request, Reply(texts=tuple(texts)), key="k", started=0.0)
            for number, text in enumerate(texts):
                journal.put_prompt(str(number), text, number)
                journal.put_score(RecordedScore("p", "dev", f"{number}{text}", 1.0, text, False, ("k",)))
                journal.put_event("warning", {"text": text})
            await journal.flush()
            (call,) = journal.calls()
            assert call.request == request
            assert call.reply.texts == tuple(texts)
            assert list(journal.prompts().values()) == texts
            assert sorted(str(score.prediction) for score in journal.scores()) == sorted(texts)
            assert [event.data["text"] for event in journal.events("warning")] == texts

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(round_trip(Path(folder) / "journal.sqlite"))


async def test_putting_everything_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    score = RecordedScore("p", "dev", "e", 0.5, ["a", "b"], False, ("k",))
    for attempt in ("first", "second"):
        with Journal(path) as journal:
            await put(journal, "k", reply(attempt, prompt_tokens=2))
            journal.put_prompt("p", "text", 0)
            journal.put_step(0, {"best": "p"})
            journal.put_score(score)
            journal.put_embedding("e", "h", b"12")
            journal.put_event("warning", "w", once="w")
            journal.put_meta("m", {"a": 1})
            await journal.flush()
    with JournalReader(path) as reader:
        found = reader.get_call("k")
        assert found is not None
        assert found.reply.text == "first"
        assert reader.totals() == {"task": Tally(calls=1, prompt_tokens=2)}
        assert reader.prompts() == {"p": "text"}
        assert reader.steps() == {0: {"best": "p"}}
        assert list(reader.scores("p", "dev")) == [score]
        assert list(reader.scores("q")) == []
        assert reader.get_embedding("e", "h") == b"12"
        assert [event.data for event in reader.events("warning")] == ["w"]
        assert reader.get_meta("m") == {"a": 1}
        assert reader.get_meta("n") is None


async def test_totals_tell_sent_from_stored(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        await put(journal, "a", reply(prompt_tokens=10, completion_tokens=3, cached_tokens=4))
        await put(journal, "b", reply(prompt_tokens=20, completion_tokens=5))
        stored = Reply(texts=("x",), usage=Usage(prompt_tokens=7, completion_tokens=1), source="store")
        await put(journal, "c", stored)
        await put(journal, "d", reply(prompt_tokens=1), role="optimizer")
        assert journal.totals() == {
            "task": Tally(
                calls=2,
                cached=1,
                prompt_tokens=30,
                completion_tokens=8,
                cached_tokens=4,
                saved_prompt_tokens=7,
                saved_completion_tokens=1,
            ),
            "optimizer": Tally(calls=1, prompt_tokens=1),
        }


async def test_absurd_token_counts_do_not_stop_the_run(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        await put(journal, "a", reply(prompt_tokens=10**30, completion_tokens=-5))
        found = journal.get_call("a")
        assert found is not None
        assert found.reply.usage.completion_tokens == 0


async def test_a_reader_sees_a_run_that_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal, JournalReader(path) as reader:
        assert reader.steps() == {}
        journal.put_step(0, {})
        await journal.flush()
        assert reader.steps() == {0: {}}


async def test_time_adds_up_over_sessions_and_a_killed_one_counts_to_its_last_call(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        journal.start_session(version="1")
        await journal.put_call("task", ask("a"), reply(), key="a", started=time.time())
    rows = sqlite3.connect(path)
    rows.execute("DELETE FROM events")
    events = [(1000.0, "start"), (1010.0, "end"), (2000.0, "start"), (3000.0, "start"), (3005.0, "end")]
    rows.executemany("INSERT INTO events (at, kind, data) VALUES (?, ?, 'null')", events)
    rows.execute("UPDATE calls SET started = 2020.0, seconds = 4.0")
    rows.commit()
    rows.close()
    with JournalReader(path) as reader:
        assert reader.seconds() == pytest.approx(10 + 24 + 5)
        assert reader.seconds(now=3100.0) == pytest.approx(10 + 24 + 100)


async def test_vectors_are_embedded_once_and_replayed_exactly(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    async def embed(texts: list[str] | tuple[str, ...]) -> list[list[float]]:
        asked.append(list(texts))
        return [[len(text) / 3, 1e-300] for text in texts]

    async def unavailable(texts: object) -> list[list[float]]:
        raise AssertionError("the embedder must not be needed")

    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        lookup = remember_embeddings(embed, "bge", journal)  # type: ignore[arg-type]  # a list is all it gets
        first = await lookup(["a", "bb", "a"])
        await lookup(["bb", "\ud800"])
    assert asked == [["a", "bb"], ["\ud800"]]
    with Journal(path) as journal:
        assert await remember_embeddings(unavailable, "bge", journal)(["a", "bb", "a"]) == first
        with pytest.raises(AssertionError):
            await remember_embeddings(unavailable, "another", journal)(["a"])


# What goes wrong


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file size")
def test_a_disk_that_takes_no_more_reaches_every_caller_and_spoils_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))\n{WRITER}"
    child = forked.run(limited, path, "x")
    last = child.stderr.strip().splitlines()[-1]
    assert "RunError" in last
    assert "journal.sqlite: the disk" in last
    assert "run the same command again" in last
    acknowledged = child.stdout.split()
    assert len(acknowledged) > 20
    with Journal(path) as journal:
        assert all(journal.get_call(key) for key in acknowledged)


async def test_after_a_failed_write_everyone_hears_of_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    await put(journal, "a", reply())
    spoiler = sqlite3.connect(path)
    spoiler.execute("DROP TABLE calls")
    spoiler.close()
    outcomes = await asyncio.gather(
        *(put(journal, str(i), reply()) for i in range(5)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [RunError] * 5
    with pytest.raises(RunError):
        journal.put_step(1, {})
    with pytest.raises(RunError):
        await journal.flush()
    journal.close()
    journal.close()


async def test_what_is_put_after_closing_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.close()
    with pytest.raises(RunError):
        await put(journal, "a", reply())


async def test_a_cancelled_caller_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        task = asyncio.create_task(put(journal, "a", reply()))
        await asyncio.sleep(0)
        task.cancel()
        await journal.flush()
        assert journal.get_call("a") is not None


def filled(path: Path, calls: int) -> None:
    async def fill() -> None:
        with Journal(path) as journal:
            await asyncio.gather(*(put(journal, f"k{i}", reply("word " * 200)) for i in range(calls)))
            journal.put_step(0, {"text": "x" * 20_000})

    asyncio.run(fill())


def use(path: Path, calls: int) -> None:
    with Journal(path) as journal:
        for i in range(calls):
            journal.get_call(f"k{i}")
        journal.totals()
        journal.steps()
        list(journal.calls())


def test_random_damage_is_one_line_and_never_another_error(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    filled(path, 300)
    whole = path.read_bytes()
    lines: list[str] = []
    for seed in range(40):
        rng = random.Random(seed)
        spoiled = bytearray(whole)
        if seed % 4 == 0:
            spoiled = spoiled[: rng.randrange(len(spoiled))]
        else:
            start = rng.randrange(0 if seed % 4 == 1 else 100, len(spoiled))
            noise = rng.randbytes(rng.choice([16, 512, 20_000]))
            spoiled[start : start + len(noise)] = noise
        path.write_bytes(spoiled)
        try:
            use(path, 300)
        except RunError as error:
            lines.append(str(error))
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    assert len(lines) > 10
    assert all(line.startswith(f"{path}: ") and "\n" not in line for line in lines)


def test_a_file_of_noise_is_refused_with_the_way_out_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    noise = random.Random(1).randbytes(10_000)
    path.write_bytes(noise)
    with pytest.raises(RunError, match="damaged; restore it from a copy, or move the run directory away"):
        Journal(path)
    assert path.read_bytes() == noise


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE precious (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(RunError, match="another program"):
        Journal(path)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        with unprivileged(), pytest.raises(RunError, match="cannot be written; make the folder writable"):
            Journal(folder / "journal.sqlite")
    with pytest.raises(RunError, match="cannot be written"):
        Journal(tmp_path / "no" / "such" / "folder" / "journal.sqlite")
    with pytest.raises(RunError, match="there is no journal here"):
        JournalReader(tmp_path / "journal.sqlite")


def test_a_finished_journal_can_be_read_where_nothing_can_be_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "journal #1?.sqlite"
        filled(path, 3)
        folder.chmod(0o555)
        path.chmod(0o444)
        with unprivileged(), JournalReader(path) as reader:
            assert reader.get_call("k1") is not None


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(RunError, match=r"newer GPO \(version 99\); upgrade"):
        Journal(path)


# The file as version 1 made it, word for word: never edit this, so that later versions are tested against it.
VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE calls (key TEXT PRIMARY KEY, role TEXT NOT NULL, purpose TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('sent', 'store')), prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, started REAL NOT NULL,
    seconds REAL NOT NULL, reply BLOB NOT NULL, request BLOB NOT NULL);
CREATE TABLE steps (step INTEGER PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE prompts (id TEXT PRIMARY KEY, first_step INTEGER, text TEXT NOT NULL);
CREATE TABLE scores (prompt_id TEXT NOT NULL, split TEXT NOT NULL, example_id TEXT NOT NULL, value REAL,
    prediction TEXT, unreadable INTEGER NOT NULL, calls TEXT NOT NULL,
    PRIMARY KEY (prompt_id, split, example_id)) WITHOUT ROWID;
CREATE TABLE embeddings (embedder TEXT NOT NULL, text_hash TEXT NOT NULL, vector BLOB NOT NULL,
    PRIMARY KEY (embedder, text_hash));
CREATE TABLE events (id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, once TEXT UNIQUE,
    data TEXT NOT NULL);
PRAGMA application_id = 1196445514;
PRAGMA user_version = 1;
INSERT INTO calls VALUES ('k', 'task', 'score', 'sent', 5, 2, 1, 10.0, 0.5,
    x'5b5b226f6b225d2c5b2273746f70225d5d',
    CAST(x'7b226d65737361676573223a5b5b2275736572222c2271225d5d2c2270726f6d7074223a6e756c6c'
    || x'2c2274656d7065726174757265223a302e302c226d61785f746f6b656e73223a3235362c226e223a'
    || x'312c2273656564223a6e756c6c2c2273746f70223a5b5d2c2273616d706c65223a307d' AS BLOB));
INSERT INTO steps VALUES (0, '{"best":"p"}');
INSERT INTO scores VALUES ('p', 'dev', 'e', 1.0, '"ok"', 0, '["k"]');
"""


async def test_a_journal_of_version_1_opens_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    old = sqlite3.connect(path)
    old.executescript(VERSION_1)
    old.close()
    with Journal(path) as journal:
        (call,) = journal.calls()
        assert call.request == Request(messages=(Message("user", "q"),), purpose="score")
        usage = Usage(prompt_tokens=5, completion_tokens=2, cached_tokens=1)
        assert call.reply == Reply(
            texts=("ok",), finish_reasons=("stop",), usage=usage, seconds=0.5, call="k"
        )
        assert journal.steps() == {0: {"best": "p"}}
        assert list(journal.scores()) == [RecordedScore("p", "dev", "e", 1.0, "ok", False, ("k",))]
        await put(journal, "another", reply())
        assert journal.get_call("another") is not None


def two_versions(*second: str) -> Schema:
    first = ("CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    return Schema("journal", 77, (first, second) if second else (first,), "w", "d")


def test_migrations_run_once_and_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file.sqlite"
    connect(path, two_versions()).close()
    with pytest.raises(RunError):
        connect(path, two_versions("UPDATE t SET a = 2", "INSERT INTO nowhere VALUES (1)"))
    for _ in range(2):
        connection = connect(
            path, two_versions("ALTER TABLE t ADD COLUMN b DEFAULT 5", "UPDATE t SET a = a + 1")
        )
        assert connection.execute("SELECT a, b FROM t").fetchall() == [(2, 5)]
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        connection.close()
    assert tables.JOURNAL.migrations  # the journal goes the same way


async def test_refusals_of_this_process_can_be_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        await journal.put_refusal("old", "too long")
    with Journal(path) as journal:
        await journal.put_refusal("new", "filtered")
        assert (journal.refusal("old"), journal.refusal("new")) == ("too long", "filtered")
        journal.forget_refusals()
        assert (journal.refusal("old"), journal.refusal("new")) == ("too long", None)
    with Journal(path) as journal:
        assert (journal.refusal("old"), journal.refusal("new")) == ("too long", None)


def test_a_journal_in_which_nobody_worked_has_no_end(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path):
        pass
    with JournalReader(path) as reader:
        assert list(reader.events("end")) == []
    with Journal(path) as journal:
        journal.start_session()
    with JournalReader(path) as reader:
        assert [event.kind for event in reader.events("start")] + [e.kind for e in reader.events("end")] == [
            "start",
            "end",
        ]
