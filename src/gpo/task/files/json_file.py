"""JSON as records: a list, lists by split, or an object a line. What a file is called does not decide."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpo.errors import DataError
from gpo.task.files import text_file

Record = tuple[dict[str, Any], str]


def read_records(text: str, path: Path, *, lines: bool) -> list[Record] | dict[str, list[Record]]:
    """Every record and its place; a mapping of split to records where the text holds several splits. `lines`: the
    file's name says that it has an object a line, which counts where the text could be either.

    Raises `DataError` naming the place of what cannot be read.
    """
    if sum(map(text.count, ",[{")) > text_file.MOST_VALUES:
        raise text_file.too_large_error(path, f"has more than {text_file.MOST_VALUES:,} values")
    if not text.strip() or _has_lines(text, usual=lines):
        return list(_lines(text, path))
    try:
        return _document(json.loads(text), path)
    except RecursionError:
        raise DataError(f"{path}:1: is nested too deeply") from None
    except json.JSONDecodeError as error:
        if lines:
            return list(_lines(text, path))  # which names the line
        raise DataError(f"{path}:{error.lineno}: is not JSON ({error.msg})") from None
    except ValueError as error:  # a number of too many digits
        raise DataError(f"{path}:1: is not JSON ({error})") from None


def begins_json(text: str) -> bool:
    """Whether `text` begins with an object or a list of objects, as no header of a table does."""
    return re.match(r"\s*(?:\[\s*)?\{\s*(?:\"|\})", text) is not None


def _has_lines(text: str, *, usual: bool) -> bool:
    """Whether the first line is an object of its own; where it is all that there is, it is what is `usual`."""
    first, _, rest = text.lstrip().partition("\n")
    if not first.startswith("{") or not (usual or rest.strip()):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _lines(text: str, path: Path) -> Iterator[Record]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        source = f"{path}:{number}"
        try:
            values = json.loads(line)
        except RecursionError:
            raise DataError(f"{source}: is nested too deeply") from None
        except ValueError as error:
            raise DataError(f"{source}: is not JSON ({error})") from None
        yield record(values, source)


def _document(data: Any, path: Path) -> list[Record] | dict[str, list[Record]]:
    if isinstance(data, list):
        return [record(values, f"{path}: row {n}") for n, values in enumerate(data, start=1)]
    lists = (
        {str(key): rows for key, rows in data.items() if isinstance(rows, list)}
        if isinstance(data, dict)
        else {}
    )
    if list(lists) == ["rows"]:
        return [record(values, f"{path}: row {n}") for n, values in enumerate(lists["rows"], start=1)]
    if not lists:
        raise DataError(
            f'{path}: must hold a list of rows, {{"rows": [...]}}, {{"train": [...], "dev": [...], …}}, or an object a '
            'line (pandas: to_json(..., orient="records"))'
        )
    return {
        split: [record(values, f"{path}: {split} row {n}") for n, values in enumerate(rows, start=1)]
        for split, rows in lists.items()
    }


def record(values: Any, source: str) -> Record:
    """`values` with its place. Raises `DataError` where it is no object."""
    if not isinstance(values, dict):
        raise DataError(
            f'{source}: is {type(values).__name__}; a row must be an object such as {{"input": …}}'
        )
    return {str(key): value for key, value in values.items()}, source
