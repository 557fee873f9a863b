"""Reading rows from csv, json, jsonl and parquet files. Every mistake is named with its file and line.

Knows files and no splits. Nothing in a file is ever executed.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpo.errors import ConfigError, DataError

SUFFIXES = (".jsonl", ".csv", ".json", ".parquet")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its columns, and where it stands ("file:line")."""

    columns: Mapping[str, Any]
    source: str


def read_rows(path: Path) -> list[Row]:
    """All rows of a file, by its ending. Raises `ConfigError` for the file and `DataError` for a row."""
    readers = {".jsonl": _jsonl, ".csv": _csv, ".json": _json, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"task.data: {path} must end in {', '.join(SUFFIXES)}")
    try:
        return list(reader(path))
    except FileNotFoundError:
        raise ConfigError(f"task.data: there is no file {path}") from None
    except OSError as error:
        raise ConfigError(f"task.data: {path} cannot be read ({error.strerror or error})") from None


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise DataError(f"{path}:{line}: is not UTF-8 text; save the file as UTF-8") from None


def _jsonl(path: Path) -> Iterator[Row]:
    # Only \n ends a row: other line separators may stand inside a JSON string.
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            yield _row(_parsed(line, f"{path}:{number}"), f"{path}:{number}")


def _json(path: Path) -> Iterator[Row]:
    data = _parsed(_text(path), str(path))
    if isinstance(data, dict):
        data = next((data[key] for key in ("rows", "data", "examples") if isinstance(data.get(key), list)), None)
    if not isinstance(data, list):
        raise DataError(f'{path}: must be a list of rows, or {{"rows": [...]}}')
    for number, item in enumerate(data, start=1):
        yield _row(item, f"{path}: row {number}")


def _csv(path: Path) -> Iterator[Row]:
    csv.field_size_limit(2**31 - 1)
    reader = csv.DictReader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        if not reader.fieldnames:
            return
        for columns in reader:
            where = f"{path}:{reader.line_num}"
            if None in columns:
                raise DataError(f"{where}: has more fields than the header; quote fields that contain commas")
            if missing := [name for name, value in columns.items() if value is None]:
                raise DataError(f"{where}: has no field for {missing[0]!r}; the row is too short")
            yield Row(columns, where)
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: is not valid CSV ({error})") from None


def _parquet(path: Path) -> Iterator[Row]:
    try:
        import pyarrow.parquet as parquet
        from pyarrow import ArrowException
    except ImportError:
        raise ConfigError(f"task.data: reading {path} needs pyarrow; install gpo[parquet]") from None
    if not path.exists():
        raise FileNotFoundError(path)
    try:
        rows = parquet.read_table(path).to_pylist()
    except (ArrowException, ValueError) as error:
        reason = " ".join(str(error).split())[:150]
        raise DataError(f"{path}: is not a readable parquet file ({reason})") from None
    for number, item in enumerate(rows, start=1):
        yield _row(item, f"{path}: row {number}")


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: is not valid JSON ({error.msg}, column {error.colno})") from None
    except (ValueError, RecursionError):
        raise DataError(f"{where}: is not JSON that can be read") from None


def _row(item: Any, where: str) -> Row:
    if not isinstance(item, dict):
        raise DataError(f"{where}: must be an object with columns, not {type(item).__name__}")
    return Row(item, where)
