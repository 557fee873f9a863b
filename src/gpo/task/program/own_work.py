"""A program that does its own work, as a model: it is asked its prompts and a row, and its output is the reply."""

from __future__ import annotations

import datetime
import decimal
import enum
import json
import pathlib
import uuid
from collections.abc import Mapping
from typing import Any

from gpo.compact_json import compact_encoder
from gpo.errors import ConfigError
from gpo.model.model import Request
from gpo.task.example import Example
from gpo.task.files.cell import is_missing, read_value

_compact = compact_encoder(ensure_ascii=True)
_TOLD_BY_TEXT = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    enum.Enum,
    pathlib.PurePath,
    uuid.UUID,
    bytes,
)
"""Values whose text is the same in every process and tells them apart."""


def write_request(parts: Mapping[str, str], example: Example) -> Request:
    """The call that stands for one run: its identity is that of the prompts and of all of the row. Raises
    `ConfigError` as `check_row`."""
    asked = {"prompts": dict(parts), "row": _plain_row(example)}
    return Request(prompt=_compact(asked), purpose="program", max_tokens=1)


def read_request(request: Request) -> tuple[dict[str, str], str]:
    """The prompts that a call stands for, and its row as `row_key` has it."""
    data: Any = json.loads(request.prompt or "")
    return data["prompts"], _compact(data["row"])


def row_key(example: Example) -> str:
    """What the row of `example` is found again by. Raises `ConfigError` as `check_row`."""
    return _compact(_plain_row(example))


def check_row(example: Example) -> None:
    """Raise `ConfigError` naming row and column where a value could not be told from others by another process."""
    _plain_row(example)


def write_output(output: Any) -> str:
    """An output as the text of a reply. Raises `TypeError` or `ValueError` where it is no JSON value."""
    return json.dumps(output, ensure_ascii=False, allow_nan=False)


def read_output(text: str) -> Any:
    """The inverse of `write_output`; a text that is no JSON (a stand-in's) is itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _plain_row(example: Example) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column, value in example.row.items():
        try:
            found[column] = json.loads(json.dumps(value, default=_as_text))
        except (TypeError, ValueError, RecursionError) as error:
            raise ConfigError(
                f"{example.source or example.id}: the column {column!r} cannot be journaled ({error}), and a program "
                "with an identity is known by its rows; give text, numbers, lists or mappings of them"
            ) from None
    return found


def _as_text(value: Any) -> Any:
    if getattr(value, "shape", None):  # an array: its text leaves out the middle
        return read_value(value)
    if isinstance(value, _TOLD_BY_TEXT) or hasattr(value, "dtype") or is_missing(value):
        return str(value)
    raise TypeError(f"it holds {type(value).__name__}")
