"""Reads rows of a journal and refuses those that GPO did not write: checksums, types, JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from gpo.storage import codec
from gpo.storage import journal_schema as tables
from gpo.storage.checksum import compute_checksum
from gpo.storage.journal_schema import JournalTable
from gpo.storage.sqlite.database import (
    connect_readonly,
    damaged_error,
    translate_row_errors,
    translate_sqlite_errors,
)


class CheckedReader:
    """An open journal, row by row. `version` is that of its tables. Raises `RunError` where the file is damaged."""

    def __init__(self, path: Path, *, beside_writer: bool = False) -> None:
        self.path = path
        self._reader = connect_readonly(path, tables.JOURNAL, beside_writer=beside_writer)
        with translate_sqlite_errors(path, tables.JOURNAL):
            (self.version,) = self._reader.execute("PRAGMA user_version").fetchone()
        self._checksum = "checksum" if self.version >= tables.CHECKED_FROM else "NULL"

    def close(self) -> None:
        """Close the file. May be called more than once."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> Iterator[Any]:
        with translate_sqlite_errors(self.path, tables.JOURNAL):
            # Not `yield from`: it would close the cursor of a reader that may be closed already.
            for row in self._reader.execute(query, values):  # noqa: UP028
                yield row

    def _records(self, table: JournalTable, rest: str = "", values: tuple[Any, ...] = ()) -> Iterator[Any]:
        """Rows of `table` with all columns but the checksum; `rest` follows its name in the query. Raises `RunError`
        naming the row where one does not fit its checksum or has a value of another type than GPO writes."""
        query = f"SELECT {', '.join(table.columns)}, {self._checksum} FROM {table.insert.table} {rest}"
        known: set[tuple[type, ...]] = set()
        for row in self._rows(query, values):
            record, checksum = row[:-1], row[-1]
            if checksum is not None and checksum != compute_checksum(record):
                self._refuse(table, record, "does not fit its checksum")
            types = tuple(map(type, record))
            if types not in known:
                self._check_kinds(table, record)
                known.add(types)
            yield record

    def _check_kinds(self, table: JournalTable, record: Sequence[Any]) -> None:
        for value, kind, column in zip(record, table.kinds, table.columns, strict=False):
            if not isinstance(value, kind):
                self._refuse(table, record, f"{column} has another type")

    def _refuse(self, table: JournalTable, record: Sequence[Any], what: str) -> NoReturn:
        place = f"table {table.insert.table}, row {ascii(record[0])[:80]}: {what}"
        raise damaged_error(self.path, tables.JOURNAL, place)

    def _json(self, value: str | bytes, place: str) -> Any:
        try:
            return codec.from_json(value)
        except (ValueError, RecursionError):
            raise damaged_error(self.path, tables.JOURNAL, f"{place}: is no JSON") from None

    def _json_many(self, values: Sequence[str | bytes | None], place: str) -> list[Any]:
        """The values of many cells, None for None: one call of the parser for all of them where that is possible."""
        if None not in values and set(map(type, values)) == {str}:
            try:
                found = codec.from_json(f"[{','.join(values)}]")  # type: ignore[arg-type]
            except (ValueError, RecursionError):
                found = []
            if len(found) == len(values):
                return list(found)
        return [None if value is None else self._json(value, place) for value in values]

    def _text(self, value: str | bytes) -> str:
        with translate_row_errors(self.path, tables.JOURNAL):
            return codec.from_text(value)
