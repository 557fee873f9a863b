"""What a GGUF file says of itself at its beginning: the sizes that decide how much memory a conversation takes.

A header that cannot be read is None, not an error: the engine says what is wrong with a file, and says it better.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_STRING, _ARRAY = 8, 9
_MOST_ENTRIES, _LONGEST_STRING = 10_000, 1_000_000
_HALF = 2  # bytes of a 16-bit float; keys and values are kept as such

Value = int | float | bool | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """`token_bytes` of memory a token of context takes; the model was trained on `context` tokens at most."""

    token_bytes: int
    context: int


def read_header(path: Path) -> Header | None:
    """The header of the file at `path`, None where it has none that we understand."""
    try:
        with path.open("rb") as file:
            return _header(_metadata(file))
    except (OSError, ValueError, KeyError, TypeError, struct.error, ZeroDivisionError):
        return None


def _header(data: dict[str, Value]) -> Header:
    kind = data["general.architecture"]

    def number(name: str, default: int | None = None) -> int:
        value = data.get(f"{kind}.{name}", default)
        if not isinstance(value, int):
            raise TypeError(name)
        return value

    heads = number("attention.head_count")
    size = number("embedding_length") // heads
    length = number("attention.key_length", size) + number("attention.value_length", size)
    kept = number("attention.head_count_kv", heads) * length * _HALF
    return Header(token_bytes=number("block_count") * kept, context=number("context_length"))


def _metadata(file: BinaryIO) -> dict[str, Value]:
    magic, version, _, entries = struct.unpack("<4sIQQ", file.read(24))
    if magic != b"GGUF" or version < 2 or entries > _MOST_ENTRIES:
        raise ValueError("not a GGUF file of version 2 or later")
    data: dict[str, Value] = {}
    for _ in range(entries):
        key = _string(file)
        # The model's own keys stand before the tokenizer's long lists.
        if key.startswith("tokenizer."):
            break
        data[key] = _value(file, _scalar(file, "<I"))
    return data


def _value(file: BinaryIO, kind: int) -> Value:
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        inner, count = _scalar(file, "<I"), _scalar(file, "<Q")
        for _ in range(min(count, _LONGEST_STRING)):
            _value(file, inner)
        return None
    found: Value = struct.unpack(_SCALARS[kind], file.read(struct.calcsize(_SCALARS[kind])))[0]
    return found


def _scalar(file: BinaryIO, form: str) -> int:
    return int(struct.unpack(form, file.read(struct.calcsize(form)))[0])


def _string(file: BinaryIO) -> str:
    length = _scalar(file, "<Q")
    if length > _LONGEST_STRING:
        raise ValueError("a string longer than any sensible one")
    return file.read(length).decode("utf-8", "replace")
