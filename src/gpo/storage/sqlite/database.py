"""Opens GPO's SQLite files: WAL, numbered migrations, and SQLite's errors as one line for a person.

Callers bring their tables as a `Schema`.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gpo.errors import RunError
from gpo.storage.regular_file import open_regular, size_of_regular
from gpo.storage.sqlite.connection import BUSY_SECONDS, Connection, open_copy, open_file
from gpo.storage.sqlite.database_file import NotOurs, inspect, side_file


@dataclass(frozen=True, slots=True)
class Schema:
    """What a file is: its mark, its migrations, and what a person can do when it fails.

    `migrations[i]` holds the statements that lead from version i to i + 1; the version stands in
    `PRAGMA user_version`. Never change a migration that was released: append one.
    """

    name: str
    application_id: int
    migrations: tuple[tuple[str, ...], ...]
    if_unwritable: str
    if_damaged: str
    survives_power_loss: bool = False


def connect(path: Path, schema: Schema) -> sqlite3.Connection:
    """Open or create `path` for writing and bring it to the newest version. Raises `RunError`.

    A file of another program or of a newer GPO is refused untouched, and so is what is no regular file; one that is
    made is its owner's alone. The connection is in autocommit mode and may be passed between threads.
    """
    with translate_sqlite_errors(path, schema):
        if _size(path, schema) is None:
            _create(path, schema)
        connection = open_file(path, "mode=rw", lambda: _inspect(path, schema, to_write=True))
        try:
            _refuse_foreign(connection, path, schema)
            _use_wal(connection, schema)
            _size_for_many_calls(connection)
            _migrate(connection, schema)
        except BaseException:
            connection.close()
            raise
    return connection


def connect_readonly(path: Path, schema: Schema, *, beside_writer: bool = False) -> sqlite3.Connection:
    """Open an existing file for reading only, also beside a running writer. Raises `RunError`.

    Nothing is written: neither into the file nor into the log beside it. With `beside_writer`, for a file that this
    process writes itself, the log is cleared up by whoever closes last. An older version is not migrated: `PRAGMA
    user_version` says which columns there are.
    """
    if _size(path, schema) is None:
        raise RunError(f"{path}: there is no {schema.name} here")
    with translate_sqlite_errors(path, schema):
        connection = _open_to_read(path, schema, beside_writer)
        try:
            connection.execute("PRAGMA query_only = ON")
            connection.bound(path)
            _refuse_foreign(connection, path, schema)
        except BaseException:
            connection.close()
            raise
    return connection


def _open_to_read(path: Path, schema: Schema, beside_writer: bool) -> Connection:
    def inspect() -> None:
        _inspect(path, schema, to_write=beside_writer)

    if beside_writer:
        return open_file(path, "mode=rw", inspect)
    if not _size(side_file(path, "-wal"), schema):
        # Nobody has it open for writing, or has written anything yet: the file itself is complete.
        return open_file(path, "mode=ro&immutable=1", inspect)
    if _size(side_file(path, "-shm"), schema) is None:
        # It was brought here without the index of its log, which SQLite would make in the folder and leave there.
        return open_copy(path, inspect)
    return open_file(path, "mode=ro", inspect)


def _create(path: Path, schema: Schema) -> None:
    try:
        os.close(open_regular(path, os.O_RDWR | os.O_CREAT))
    except OSError as error:
        raise RunError(f"{path}: the {schema.name} cannot be written; {schema.if_unwritable}") from error


def _size(path: Path, schema: Schema) -> int | None:
    try:
        return size_of_regular(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RunError(f"{path}: the {schema.name} cannot be read ({reason})") from None


def _inspect(path: Path, schema: Schema, *, to_write: bool) -> None:
    try:
        inspect(path, schema.application_id, to_write=to_write)
    except NotOurs as error:
        raise (foreign_error if str(error) == "foreign" else damaged_error)(path, schema) from None
    except OSError as error:
        raise RunError(f"{path}: the {schema.name} cannot be read ({error.strerror or error})") from error


@contextmanager
def translate_sqlite_errors(path: Path, schema: Schema) -> Iterator[None]:
    """Turn SQLite's errors into a `RunError` of one line."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, path, schema) from error
    except UnicodeDecodeError as error:  # SQLite's own message may quote damaged bytes
        raise damaged_error(path, schema) from error


@contextmanager
def translate_row_errors(path: Path, schema: Schema) -> Iterator[None]:
    """Turn what Python says to a row of the wrong types into a `RunError` of one line: SQLite checks none."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError):
        raise damaged_error(path, schema) from None


def explain(error: Exception, path: Path, schema: Schema) -> RunError:
    """One line that says what failed and the way out."""
    code = str(getattr(error, "sqlite_errorname", "") or "")
    if code.startswith("SQLITE_FULL"):
        way_out = "the disk is full; free some space and run the same command again, nothing recorded is lost"
    elif code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        way_out = f"the {schema.name} cannot be written; {schema.if_unwritable}"
    elif code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_INTERRUPT", "SQLITE_TOOBIG")):
        way_out = f"the {schema.name} is damaged; {schema.if_damaged}"
    elif code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        way_out = "is locked by another program; close that one and run the same command again"
    elif code.startswith("SQLITE_IOERR"):
        way_out = "the disk failed or is full; check its space and health, then run the same command again"
    else:
        way_out = f"the {schema.name} failed ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
    return RunError(f"{path}: {way_out}")


def damaged_error(path: Path, schema: Schema, place: str = "") -> RunError:
    """The line for a row that SQLite can read and GPO cannot; `place` says which one, where that is known."""
    where = f" ({place})" if place else ""
    return RunError(f"{path}: the {schema.name} is damaged{where}; {schema.if_damaged}")


def foreign_error(path: Path, schema: Schema) -> RunError:
    """The line for a database that GPO did not make."""
    return RunError(f"{path}: is a database of another program, not a {schema.name} of GPO")


def _refuse_foreign(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    # What a schema of a stranger's says would be carried out by our own queries: views, triggers, defaults, checks.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("BEGIN")  # one moment: another process may be making the tables
    try:
        made = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master LIMIT 100").fetchall()
        mark, version = (_number(connection, f"PRAGMA {name}") for name in ("application_id", "user_version"))
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    if made and mark != schema.application_id:
        raise foreign_error(path, schema)
    if version > len(schema.migrations):
        raise RunError(f"{path}: was written by a newer GPO (version {version}); upgrade GPO to use it")
    if made and _plain(made) != _tables(schema, version):
        raise RunError(
            f"{path}: the {schema.name} has other tables than GPO makes (views or triggers, say); {schema.if_damaged}"
        )


@cache
def _tables(schema: Schema, version: int) -> frozenset[tuple[str, ...]]:
    """What `sqlite_master` says of a file at `version`."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statements in schema.migrations[: max(0, version)]:
            for statement in statements:
                connection.execute(statement)
        return _plain(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall())


def _plain(made: list[Any]) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple("".join(str(value).split()) for value in row) for row in made)


def _use_wal(connection: sqlite3.Connection, schema: Schema) -> None:
    # Two processes that create the same file at once: the change of mode does not wait for the other's lock.
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            break
        except sqlite3.OperationalError as error:
            busy = getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    # In WAL mode NORMAL survives a killed process whole; a power cut can take the last commits, not the file. FULL
    # keeps those too, for one more sync of the disk a commit, which group commit shares among many rows.
    connection.execute(f"PRAGMA synchronous = {'FULL' if schema.survives_power_loss else 'NORMAL'}")


def _size_for_many_calls(connection: sqlite3.Connection) -> None:
    # Keys are hashes, so every row dirties another page of their index. With SQLite's defaults (2 MB of cache, a
    # checkpoint every 1,000 pages) a call costs a tenth more from the thirty thousandth on.
    connection.execute("PRAGMA cache_size = -16384")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")


def _migrate(connection: sqlite3.Connection, schema: Schema) -> None:
    if _number(connection, "PRAGMA user_version") == len(schema.migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Read again under the lock: another process may have migrated meanwhile.
        version = _number(connection, "PRAGMA user_version")
        for statements in schema.migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {schema.application_id:d}")
        connection.execute(f"PRAGMA user_version = {len(schema.migrations):d}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])
