"""A program that does its own work, as a model: it is asked its prompts and a row, and its output is the reply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gpo.compact_json import compact_encoder
from gpo.model.model import Request
from gpo.task.example import Example

_compact = compact_encoder(ensure_ascii=True)


def write_request(parts: Mapping[str, str], example: Example) -> Request:
    """The call that stands for one run: its identity is that of the prompts and of all of the row."""
    row = json.loads(json.dumps(dict(example.row), default=str))
    return Request(prompt=_compact({"prompts": dict(parts), "row": row}), purpose="program", max_tokens=1)


def read_request(request: Request) -> tuple[dict[str, str], str]:
    """The prompts that a call stands for, and its row as a key of `index_rows`."""
    data: Any = json.loads(request.prompt or "")
    return data["prompts"], _compact(data["row"])


def row_key(row: Mapping[str, Any]) -> str:
    """What a row is found again by."""
    return _compact(json.loads(json.dumps(dict(row), default=str)))


def write_output(output: Any) -> str:
    """An output as the text of a reply. Raises `TypeError` or `ValueError` where it is no JSON value."""
    return json.dumps(output, ensure_ascii=False, allow_nan=False)


def read_output(text: str) -> Any:
    """The inverse of `write_output`; a text that is no JSON (a stand-in's) is itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
