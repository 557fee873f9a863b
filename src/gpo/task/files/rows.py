"""Reads data files as rows: csv, tsv, json, jsonl, parquet.

Nothing of a file is ever run: pickles and scripts are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpo.errors import ConfigError, DataError
from gpo.task.files import csv_file, json_file, parquet_file
from gpo.task.files.text_file import read_text

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
        return _rows(parquet_file.read_records(path))
    text = read_text(path)
    if suffix in (".csv", ".tsv") and not json_file.begins_json(text):
        return _rows(csv_file.read_records(text, path, "\t" if suffix == ".tsv" else ","))
    found = json_file.read_records(text, path, lines=suffix != ".json")
    return {split: _rows(part) for split, part in found.items()} if isinstance(found, dict) else _rows(found)


def _rows(records: Iterable[tuple[Mapping[str, Any], str]]) -> list[Row]:
    return [Row(values, source) for values, source in records]
