"""Reads a file of text whole: its bytes within a limit, its encoding found or named."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Final

from gpo.errors import ConfigError, DataError

LARGEST: Final = 2**30
"""Bytes of a data file, and of what a packed one may unpack to."""
MOST_VALUES: Final = 50_000_000
"""Cells, list entries and fields of one data file: each takes many times its bytes in memory."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NO_TEXT: Final = {
    b"PK\x03\x04": "a zip archive or an Excel workbook: unpack it, or save the sheet as csv",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the sheet as csv",
    b"PAR1": "a parquet file: end its name in .parquet",
    b"\x1f\x8b": "a gzip archive: unpack it",
    b"(\xb5/\xfd": "a zstd archive: unpack it",
}
_SAMPLE = 1000


def read_text(path: Path) -> str:
    """The text of the file at `path`, without a byte-order mark: UTF-8, or UTF-16 and UTF-32.

    Raises `ConfigError` where it cannot be read, and `DataError` where it is no text, where it is in another encoding
    (naming the line) and where it is longer than `LARGEST`.
    """
    data = read_bytes(path)
    for start, what in _NO_TEXT.items():
        if data.startswith(start):
            raise DataError(f"{path}: is {what}")
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None) or _unmarked(data)
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise DataError(f"{path}: begins like {encoding} and is not; save it as UTF-8") from None
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}:{line}: is not UTF-8 text (byte {data[error.start]:#04x}); if it is Latin-1 or Windows-1252, save "
            f"it as UTF-8: iconv -f WINDOWS-1252 -t UTF-8 {path.name} > utf8-{path.name}"
        ) from None


def read_bytes(path: Path) -> bytes:
    """At most `LARGEST` bytes of a regular file. Raises as `read_text` does."""
    if not path.exists():
        raise ConfigError(f"{path}: no such file")
    if not path.is_file():
        raise ConfigError(f"{path}: is no regular file")
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) > LARGEST:
        raise too_large_error(path, f"is larger than {LARGEST / 2**20:,.0f} MiB")
    return data


def too_large_error(path: Path, problem: str) -> DataError:
    """The error about a file of too much."""
    return DataError(f"{path}: {problem}; give a part of it, a run needs some hundred rows")


def _unmarked(data: bytes) -> str:
    """UTF-16 without a mark has a zero in every other byte wherever it is Latin script."""
    even, odd = data[0:_SAMPLE:2], data[1:_SAMPLE:2]
    if odd.count(0) > 0.4 * len(odd) and 0 not in even:
        return "utf-16-le"
    return "utf-16-be" if even.count(0) > 0.4 * len(even) and 0 not in odd else "utf-8"
