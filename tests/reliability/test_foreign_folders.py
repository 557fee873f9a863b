"""A run folder from someone else: it is read, or refused in one line; it changes nothing and hangs nothing."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gpo.errors import GPOError, RunError
from gpo.report.comparison.compare import compare_html
from gpo.report.data import read_run
from gpo.report.page import report_html, write_report
from gpo.report.server import View
from gpo.run.directory import RunDirectory
from gpo.storage.codec import MOST_UNPACKED
from gpo.storage.journal import Journal
from gpo.storage.journal_reader import JournalReader
from gpo.storage.journal_schema import JOURNAL
from gpo.storage.lock import RunLock
from gpo.storage.regular_file import irregular_error
from gpo.storage.sqlite.database import connect_readonly
from tests.cli.gpo import gpo
from tests.report.support import Diary, run_sums

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "run"
    run_sums(folder)
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "runs" / "run"))


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


def change(run: Path, query: str, *values: object) -> None:
    connection = sqlite3.connect(run / "journal.sqlite")
    with connection:
        connection.execute(query, values)
    connection.close()


def refused(run: Path) -> str:
    """The line with which everything that reads a run refuses it."""
    lines = set()
    for use in (read_run, report_html, lambda path: compare_html({"a": path})):
        with pytest.raises(RunError) as caught:
            use(run)
        lines.add(str(caught.value))
    (line,) = lines
    assert "\n" not in line
    assert str(run) in line
    return line


def test_a_lock_that_is_a_link_or_a_second_name_spoils_no_file(tmp_path: Path) -> None:
    mine = tmp_path / "precious"
    for make in (os.symlink, os.link):
        mine.write_text("12345")
        (tmp_path / ".lock").unlink(missing_ok=True)
        make(mine, tmp_path / ".lock")
        with pytest.raises(RunError, match="move it away"):
            RunLock(tmp_path / ".lock")
        assert mine.read_text() == "12345"
    (tmp_path / ".lock").unlink()
    (tmp_path / ".lock").write_text("a letter of mine")
    with pytest.raises(RunError, match="no lock of GPO's"):
        RunLock(tmp_path / ".lock")
    assert (tmp_path / ".lock").read_text() == "a letter of mine"


@pytest.mark.parametrize(
    "name",
    ["journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "journal.sqlite-journal", "result.json"],
)
@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_is_no_regular_file_is_refused_at_once(run: Path, tmp_path: Path, name: str, kind: str) -> None:
    mine = tmp_path / "precious"
    mine.write_bytes(b"mine")
    (run / name).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(run / name)
    elif kind == "link":
        (run / name).symlink_to(mine)
    else:
        (run / name).mkdir()
    assert "is no regular file" in refused(run)
    with pytest.raises(RunError):
        RunDirectory(run).check({})
    assert mine.read_bytes() == b"mine"


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_a_second_name_of_a_file_of_mine_is_not_written_into(run: Path, tmp_path: Path, suffix: str) -> None:
    mine, path = tmp_path / "precious", run / f"journal.sqlite{suffix}"
    mine.write_bytes(path.read_bytes() if not suffix else b"mine")
    path.unlink(missing_ok=True)
    os.link(mine, path)
    before = mine.read_bytes()
    with pytest.raises(RunError, match="has a second name elsewhere"):
        Journal(run / "journal.sqlite")
    line = looked_at(run)
    assert ("has a second name" in line) if suffix else line == ""
    assert mine.read_bytes() == before


@pytest.mark.parametrize("name", ["config.yaml", ".lock"])
def test_a_run_is_not_gone_on_with_over_a_pipe_or_a_link(run: Path, tmp_path: Path, name: str) -> None:
    with JournalReader(run / "journal.sqlite") as reader:
        recorded = reader.get_meta("config")
    mine = tmp_path / "precious"
    mine.write_text("mine")
    for make in (os.mkfifo, lambda path: os.symlink(mine, path)):
        (run / name).unlink(missing_ok=True)
        make(run / name)
        with RunDirectory(run) as directory, pytest.raises(RunError, match="no regular file"):
            directory.open(recorded, "text")
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("name", ["config.yaml", "result.json"])
def test_an_export_waits_for_no_pipe_and_follows_no_link(run: Path, tmp_path: Path, name: str) -> None:
    mine = tmp_path / "precious"
    mine.write_bytes((run / name).read_bytes() if (run / name).exists() else b"{}")
    for make in (os.mkfifo, lambda path: os.symlink(mine, path), lambda path: os.symlink("/dev/zero", path)):
        (run / name).unlink(missing_ok=True)
        make(run / name)
        done = gpo("export", str(run), "--to", "text", cwd=tmp_path)
        assert done.returncode == 1
        assert done.stderr == f"gpo: {irregular_error(run / name)}\n"


def test_a_file_under_the_temporary_name_is_no_trap(run: Path, tmp_path: Path) -> None:
    mine = tmp_path / "precious"
    mine.write_text("mine")
    (run / f".report.html.{os.getpid()}.tmp").symlink_to(mine)
    (run / "report.html").unlink(missing_ok=True)
    (run / "report.html").symlink_to(mine)
    write_report(run)
    assert mine.read_text() == "mine"
    assert not (run / "report.html").is_symlink()


def test_looking_changes_nothing(run: Path, tmp_path: Path) -> None:
    before = tree(run)
    report_html(run)
    compare_html({"a": run})
    assert tree(run) == before
    # One that was killed and sent on: its last answers are in the log beside the journal.
    diary = Diary(tmp_path / "killed")
    diary.step(["One."], right=3)
    sent = tmp_path / "sent"
    sent.mkdir()
    for name in ("journal.sqlite", "journal.sqlite-wal"):
        shutil.copyfile(tmp_path / "killed" / name, sent / name)
    diary.close()
    assert (sent / "journal.sqlite-wal").stat().st_size > 0
    before = tree(sent)
    assert len(read_run(sent).steps) == 1
    report_html(sent)
    assert tree(sent) == before


@pytest.mark.parametrize(
    "query",
    [
        "CREATE VIEW extra AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
        "CREATE TRIGGER extra AFTER INSERT ON events BEGIN DELETE FROM calls; END",
        "CREATE TABLE extra (x)",
        "CREATE INDEX extra ON calls (random())",
        "DROP TABLE embeddings",
    ],
)
def test_other_tables_views_and_triggers_are_refused(run: Path, query: str) -> None:
    try:
        change(run, query)
    except sqlite3.OperationalError:  # SQLite itself knows better
        change(run, "CREATE INDEX extra ON calls (abs(seconds))")
    assert "other tables than GPO makes" in refused(run)
    with pytest.raises(RunError, match="other tables"):
        Journal(run / "journal.sqlite")


def test_a_view_in_place_of_a_table_hangs_nothing(run: Path) -> None:
    change(run, "ALTER TABLE calls RENAME TO aside")
    change(
        run,
        """CREATE VIEW calls AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        SELECT i AS key, 'task' AS role FROM n""",
    )
    assert "other tables than GPO makes" in refused(run)


def test_a_database_of_another_program_is_not_opened(run: Path) -> None:
    content = bytearray((run / "journal.sqlite").read_bytes())
    content[68:72] = b"EVIL"
    (run / "journal.sqlite").write_bytes(content)
    assert "another program" in refused(run)
    with pytest.raises(RunError, match="another program"):
        Journal(run / "journal.sqlite")
    assert (run / "journal.sqlite").read_bytes() == content


def test_a_journal_of_several_databases_deletes_nothing(run: Path, tmp_path: Path) -> None:
    name = str(tmp_path / "precious").encode()
    (tmp_path / "precious").write_text("mine")
    mark = bytes.fromhex("d9d505f920a163d7")
    tail = bytes(4) + name + len(name).to_bytes(4, "big") + sum(name).to_bytes(4, "big") + mark
    (run / "journal.sqlite-journal").write_bytes(mark + bytes(504) + tail)
    assert "damaged" in refused(run)
    with pytest.raises(RunError, match="damaged"):
        Journal(run / "journal.sqlite")
    assert (tmp_path / "precious").read_text() == "mine"


def test_pages_in_a_ring_come_to_an_end(run: Path) -> None:
    path = run / "journal.sqlite"
    content = path.read_bytes()
    size = int.from_bytes(content[16:18], "big")
    inner = [
        at for at in range(size, len(content), size) if content[at] in (2, 5)
    ]  # interior pages of an index or a table
    assert inner
    for at in inner:
        page = bytearray(content[at : at + size])
        cells = int.from_bytes(page[3:5], "big")
        for cell in range(cells):  # every child is the page itself
            place = int.from_bytes(page[12 + 2 * cell : 14 + 2 * cell], "big")
            page[place : place + 4] = (at // size + 1).to_bytes(4, "big")
        path.write_bytes(content[:at] + bytes(page) + content[at + size :])
        assert looked_at(run) == "" or "damaged" in looked_at(run)


def test_a_few_bytes_do_not_unpack_to_gigabytes(run: Path) -> None:
    packer = zlib.compressobj(9)
    blob = packer.compress(b'[["' + b"a" * MOST_UNPACKED)
    blob += packer.compress(b"a" * MOST_UNPACKED + b'"],["stop"]]') + packer.flush()
    assert len(blob) < 300_000
    change(run, "UPDATE calls SET reply = ?, checksum = NULL", blob)
    assert "damaged" in refused_exchange(run)


def refused_exchange(run: Path) -> str:
    with pytest.raises(RunError) as caught:
        report_html(run)
    return str(caught.value)


ODD: list[Any] = [None, True, -1, 1e300, 10**30, "x", [], [1], {}, {"a": {}}, [[]]]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        if not isinstance(key, int) or key < 2:
            yield from places(item, (*path, key))


def put(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(copy[path[0]], path[1:], odd)
    return copy


def looked_at(run: Path) -> str:
    """ "" where the run is shown, else the line that refuses it; anything else is a fault."""
    from rich.console import Console

    from gpo.report.terminal import show_run

    line = ""
    try:
        report_html(run)
        compare_html({"a": run, "b": run})
        with open(os.devnull, "w") as nowhere:
            show_run(read_run(run), Console(file=nowhere))
    except GPOError as error:
        line = str(error)
    assert "\n" not in line
    return line


def test_a_result_with_any_field_of_another_type_is_shown_or_is_one_line(run: Path) -> None:
    whole = json.loads((run / "result.json").read_text())
    rng = random.Random(3)
    lines = set()
    for path in places(whole):
        for odd in rng.sample(ODD, 3):
            (run / "result.json").write_text(json.dumps(put(whole, path, odd)))
            lines.add(looked_at(run))
    assert len(lines) > 30
    assert not [line for line in lines if line and "result.json" not in line]
    (run / "result.json").write_text(json.dumps(put(whole, ("scores", "best", "dev"), [1])))
    assert (
        "result.json: is damaged (scores.best.dev must be a number from 0 to 1, not a list); remove"
        in looked_at(run)
    )


@pytest.mark.parametrize(
    ("table", "column"), [("steps", "data"), ("meta", "value"), ("events", "data"), ("scores", "prediction")]
)
def test_a_journal_with_any_field_of_another_type_is_shown_or_is_one_line(
    run: Path, table: str, column: str
) -> None:
    connection = sqlite3.connect(run / "journal.sqlite", isolation_level=None)
    keys = "prompt_id, split, example_id" if table == "scores" else "rowid"
    rows = connection.execute(f"SELECT {keys}, {column} FROM {table} LIMIT 12").fetchall()
    rng = random.Random(4)
    where = " AND ".join(f"{key} = ?" for key in keys.split(", "))
    lines = set()
    for *key, text in rows:
        whole = json.loads(text)
        found = list(places(whole))
        for path in rng.sample(found, min(len(found), 12)):
            changed = json.dumps(put(whole, path, rng.choice(ODD)))
            query = f"UPDATE {table} SET {column} = ?, checksum = NULL WHERE {where}"
            connection.execute(query, (changed, *key))
            lines.add(looked_at(run))
        connection.execute(f"UPDATE {table} SET {column} = ?, checksum = NULL WHERE {where}", (text, *key))
    connection.close()
    assert looked_at(run) == ""
    if table == "steps":
        assert any("journal.sqlite: is damaged (steps 0.candidates" in line for line in lines)


def put_a_pipe(run: Path) -> None:
    (run / "journal.sqlite").unlink()
    os.mkfifo(run / "journal.sqlite")


async def test_one_broken_run_is_one_line_of_the_live_view(run: Path) -> None:
    folder = run.parent
    breaks: dict[str, Callable[[Path], object]] = {
        "pipe": put_a_pipe,
        "typed": lambda path: (path / "result.json").write_text('{"status": [], "scores": 3}'),
        "deep": lambda path: (path / "result.json").write_text("[" * 100_000),
        "view": lambda path: change(path, "CREATE VIEW v AS SELECT 1"),
        "steps": lambda path: change(path, "UPDATE steps SET data = '[1]', checksum = NULL"),
    }
    for name, break_it in breaks.items():
        break_it(Path(shutil.copytree(run, folder / name)))
    runner = web.AppRunner(View(folder).app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            for page in ("/", "/compare"):
                async with session.get(url + page) as response:
                    text = await response.text()
                    assert response.status == 200
                    assert "name=run" in text
                    for name in breaks:
                        assert f"{folder / name}/" in text
            async with session.get(f"{url}/state", params={"run": "typed"}) as response:
                assert response.status == 500
                assert "result.json" in (await response.json())["error"]
    finally:
        await runner.cleanup()


def test_a_flipped_bit_is_found_with_its_place_or_changes_nothing(run: Path) -> None:
    path = run / "journal.sqlite"
    content = path.read_bytes()

    def everything() -> list[Any]:
        with Journal(path) as journal:
            found = [
                [*journal.calls()],
                [*journal.scores()],
                journal.totals(),
                journal.steps(),
                journal.prompts(),
                journal.get_meta("config"),
                [event.data for event in journal.events()],
            ]
            return [*found, [journal.get_call(key) for key in sorted(journal.recorded)]]

    whole = everything()
    content = path.read_bytes()
    rng = random.Random(7)
    lines = []
    for _ in range(150):
        at = rng.randrange(len(content))
        spoiled = bytearray(content)
        spoiled[at] ^= 1 << rng.randrange(8)
        path.write_bytes(spoiled)
        try:
            assert everything() == whole, f"byte {at}"
        except GPOError as error:
            lines.append(str(error))
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    assert len(lines) > 60
    assert sum("does not fit its checksum" in line for line in lines) > 20
    assert all("restore it from a copy" in line or "journal" in line for line in lines)


def test_what_is_written_is_its_owners_alone(made: Path) -> None:
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    for path in made.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_fork_of_a_strangers_folder(run: Path, tmp_path: Path) -> None:
    from gpo.run.replay.reuse_answers import open_reused_run

    change(run, "CREATE VIEW v AS SELECT 1")
    with Journal(tmp_path / "journal.sqlite") as journal, pytest.raises(RunError, match="other tables"):
        open_reused_run(run, journal)


def test_the_command_says_it_in_one_line(run: Path, tmp_path: Path) -> None:
    (run / "result.json").write_text('{"status": 3}')
    done = gpo("report", str(run), cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_statement_that_has_no_end_is_ended(run: Path) -> None:
    connection = connect_readonly(run / "journal.sqlite", JOURNAL)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        connection.execute(endless).fetchone()
    assert connection.execute("SELECT count(*) FROM calls").fetchone()[0] > 0
    connection.close()
