"""What is looked at before SQLite opens a file, and what SQLite itself is waited for."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gpo.storage.journal_schema import JOURNAL
from gpo.storage.sqlite import database_file
from gpo.storage.sqlite.connection import open_copy, open_file
from gpo.storage.sqlite.database import connect
from gpo.storage.sqlite.database_file import NotOurs, inspect, side_file

OTHER = 0x12345678


def written_log(folder: Path, mark: int) -> Path:
    """A database with GPO's mark, beside it a log that has `mark` in the first page. Nobody has it open."""
    source = folder / "made" / "journal.sqlite"
    source.parent.mkdir()
    connect(source, JOURNAL).close()
    with closing(sqlite3.connect(source, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA application_id = {mark}")
        for path in (source, side_file(source, "-wal")):
            shutil.copyfile(path, folder / path.name)
    return folder / source.name


def test_the_mark_in_the_log_counts_as_well(tmp_path: Path) -> None:
    path = written_log(tmp_path, OTHER)
    assert path.read_bytes()[68:72] == JOURNAL.application_id.to_bytes(4, "big")
    with pytest.raises(NotOurs, match="foreign"):
        inspect(path, JOURNAL.application_id)


def test_a_log_of_ones_own_is_none_of_anothers(tmp_path: Path) -> None:
    inspect(written_log(tmp_path, JOURNAL.application_id), JOURNAL.application_id)


def test_a_file_is_inspected_where_this_process_has_it_not_open(tmp_path: Path) -> None:
    path = written_log(tmp_path, JOURNAL.application_id)
    seen: list[str] = []
    open_copy(path, lambda: seen.append("copy")).close()
    with closing(open_file(path, "mode=rw", lambda: seen.append("file"))):
        # To close a descriptor of an inspection now would let go of SQLite's locks.
        open_file(path, "mode=rw", lambda: seen.append("file again")).close()
    assert seen == ["copy", "file"]


def test_a_file_that_another_process_is_making_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA user_version = 0")
    other.execute("BEGIN IMMEDIATE")  # readers may read; the change to WAL fails at once
    going = threading.Timer(0.05, lambda: other.execute("ROLLBACK"))
    going.start()
    with closing(connect(path, JOURNAL)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    going.join()
    other.close()


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_a_side_file_may_go_while_it_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """Another process ends its transaction between the look and the opening."""
    path = tmp_path / "journal.sqlite"
    connect(path, JOURNAL).close()
    seen: list[Path] = []

    def size(found: Path) -> int | None:
        seen.append(found)
        return 100 if found.name.endswith(suffix) else None

    monkeypatch.setattr(database_file, "size_of_regular", size)
    inspect(path, JOURNAL.application_id)
    assert side_file(path, suffix) in seen
