"""Opening GPO's SQLite files: WAL, numbered migrations, and SQLite's errors as one line for a person.

Knows neither calls nor runs; the tables are its callers'.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gpo.errors import RunError

BUSY_SECONDS = 10.0
"""How long a connection waits for another process's lock."""


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

    A file of another program or of a newer GPO is refused untouched. The connection is in autocommit mode and
    may be passed between threads.
    """
    with translated(path, schema):
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _refuse_foreign(connection, path, schema)
            _use_wal(connection, schema)
            _size_for_many_calls(connection)
            _migrate(connection, schema)
        except BaseException:
            connection.close()
            raise
    return connection


def connect_readonly(path: Path, schema: Schema) -> sqlite3.Connection:
    """Open an existing file for reading only, also beside a running writer. Raises `RunError`.

    An older version is not migrated: `PRAGMA user_version` says which columns there are.
    """
    if not path.is_file():
        raise RunError(f"{path}: there is no {schema.name} here")
    with translated(path, schema):
        uri = path.resolve().as_uri()
        try:
            # Not mode=ro: only a connection that could write clears up the write-ahead log behind it.
            return _open_query_only(f"{uri}?mode=rw", path, schema)
        except sqlite3.OperationalError as error:
            # Where nothing can be written a log cannot be used; without one the file itself is complete.
            unwritable = getattr(error, "sqlite_errorname", "").startswith(
                ("SQLITE_READONLY", "SQLITE_CANTOPEN")
            )
            log = path.with_name(path.name + "-wal")
            if not unwritable or (log.exists() and log.stat().st_size):
                raise
            return _open_query_only(f"{uri}?mode=ro&immutable=1", path, schema)


@contextmanager
def translated(path: Path, schema: Schema) -> Iterator[None]:
    """Turn SQLite's errors into a `RunError` of one line."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, path, schema) from error
    except UnicodeDecodeError as error:  # SQLite's own message may quote damaged bytes
        raise damaged(path, schema) from error


@contextmanager
def whole(path: Path, schema: Schema) -> Iterator[None]:
    """Turn what Python says to a row of the wrong types into a `RunError` of one line: SQLite checks none."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError):
        raise damaged(path, schema) from None


def explain(error: Exception, path: Path, schema: Schema) -> RunError:
    """One line that says what failed and the way out."""
    code = str(getattr(error, "sqlite_errorname", "") or "")
    if code.startswith("SQLITE_FULL"):
        way_out = "the disk is full; free some space and run the same command again, nothing recorded is lost"
    elif code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        way_out = f"the {schema.name} cannot be written; {schema.if_unwritable}"
    elif code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        way_out = f"the {schema.name} is damaged; {schema.if_damaged}"
    elif code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        way_out = "is locked by another program; close that one and run the same command again"
    elif code.startswith("SQLITE_IOERR"):
        way_out = "the disk failed or is full; check its space and health, then run the same command again"
    else:
        way_out = f"the {schema.name} failed ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
    return RunError(f"{path}: {way_out}")


def damaged(path: Path, schema: Schema) -> RunError:
    """The line for a row that SQLite can read and GPO cannot."""
    return RunError(f"{path}: the {schema.name} is damaged; {schema.if_damaged}")


def _open_query_only(uri: str, path: Path, schema: Schema) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA query_only = ON")
        _refuse_foreign(connection, path, schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_foreign(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    tables = _number(connection, "SELECT count(*) FROM sqlite_master")
    if tables and _number(connection, "PRAGMA application_id") != schema.application_id:
        raise RunError(f"{path}: is a database of another program, not a {schema.name} of GPO")
    version = _number(connection, "PRAGMA user_version")
    if version > len(schema.migrations):
        raise RunError(f"{path}: was written by a newer GPO (version {version}); upgrade GPO to use it")


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
