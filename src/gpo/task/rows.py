"""Data files as rows: csv, tsv, json, jsonl, parquet. Knows no split, no column and no task.

Nothing of a file is ever run: pickles and scripts are refused.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpo.errors import ConfigError, DataError

SUFFIXES = (".jsonl", ".csv", ".json", ".parquet", ".tsv")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read; `source` says "file:line" for messages."""

    values: Mapping[str, Any]
    source: str


def read_rows(path: Path) -> list[Row]:
    """The rows of one file. Raises `ConfigError` where it cannot be used and `DataError` naming the line of a row that
    cannot be read."""
    found = read_file(path)
    if isinstance(found, dict):
        raise DataError(f"{path}: holds several splits ({', '.join(found)}); give it as task.data alone")
    return found


def read_file(path: Path) -> list[Row] | dict[str, list[Row]]:
    """The rows of one file; a mapping of split to rows where a json file holds several."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(f"{path}: cannot be read as data; use {', '.join(SUFFIXES)}")
    if suffix == ".parquet":
        return _parquet(path)
    try:
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    if suffix == ".jsonl":
        return list(_jsonl(data, path))
    if suffix == ".json":
        return _json(_decoded(data, path), path)
    return list(_csv(_decoded(data, path), path, "\t" if suffix == ".tsv" else ","))


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}:{line}: is not UTF-8 text (byte {data[error.start]:#04x})") from None


def _jsonl(data: bytes, path: Path) -> Iterator[Row]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        source = f"{path}:{number}"
        try:
            values = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError:
            raise DataError(f"{source}: is not UTF-8 text") from None
        except RecursionError:
            raise DataError(f"{source}: is nested too deeply") from None
        except ValueError as error:
            raise DataError(f"{source}: is not JSON ({error})") from None
        yield _row(values, source)


def _json(text: str, path: Path) -> list[Row] | dict[str, list[Row]]:
    try:
        data = json.loads(text)
    except RecursionError:
        raise DataError(f"{path}: is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}: is not JSON ({error.msg})") from None
    except ValueError as error:
        raise DataError(f"{path}: is not JSON ({error})") from None
    if isinstance(data, list):
        return [_row(values, f"{path}: row {n}") for n, values in enumerate(data, start=1)]
    lists = (
        {key: rows for key, rows in data.items() if isinstance(rows, list)} if isinstance(data, dict) else {}
    )
    if list(lists) == ["rows"]:
        return [_row(values, f"{path}: row {n}") for n, values in enumerate(lists["rows"], start=1)]
    if not lists:
        raise DataError(
            f'{path}: must hold a list of rows, {{"rows": [...]}} or {{"train": [...], "dev": [...], …}}'
        )
    return {
        str(split): [_row(values, f"{path}: {split} row {n}") for n, values in enumerate(rows, start=1)]
        for split, rows in lists.items()
    }


def _csv(text: str, path: Path, delimiter: str) -> Iterator[Row]:
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        header: list[str] | None = None
        start = 1
        try:
            for cells in reader:
                if header is None:
                    header = _header(cells, path)
                elif cells:
                    yield _csv_row(header, cells, f"{path}:{start}")
                start = reader.line_num + 1
        except csv.Error as error:
            raise DataError(f"{path}:{start}: cannot be read ({error})") from None
    finally:
        csv.field_size_limit(before)


def _header(cells: list[str], path: Path) -> list[str]:
    header = [cell.strip() for cell in cells]
    if repeated := next((name for name in header if header.count(name) > 1), None):
        raise DataError(f"{path}:1: has two columns called {repeated!r}")
    return header


def _csv_row(header: list[str], cells: list[str], source: str) -> Row:
    if len(cells) != len(header):
        raise DataError(f"{source}: has {len(cells)} cells where the header has {len(header)}")
    return Row(dict(zip(header, cells, strict=True)), source)


def _parquet(path: Path) -> list[Row]:
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ConfigError(f"{path}: parquet files need pyarrow: pip install pyarrow") from None
    try:
        rows = parquet.read_table(path).to_pylist()
    except (OSError, ValueError, ArithmeticError, LookupError, TypeError, pyarrow.ArrowException) as error:
        # Beside its own errors pyarrow raises Python's for values that Python has no form for (a date in the year 10⁶).
        raise DataError(
            f"{path}: is not a readable parquet file ({' '.join(str(error).split())[:200]})"
        ) from None
    return [_row(values, f"{path}: row {n}") for n, values in enumerate(rows, start=1)]


def _row(values: Any, source: str) -> Row:
    if not isinstance(values, dict):
        raise DataError(
            f'{source}: is {type(values).__name__}; a row must be an object such as {{"input": …}}'
        )
    return Row({str(key): value for key, value in values.items()}, source)
