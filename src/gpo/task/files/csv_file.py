"""Cells set off by a delimiter as records: csv, tsv, and what spreadsheets call so.

Every text is read in time that grows with its length, whatever stands in it.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from gpo.errors import DataError
from gpo.task.files import text_file

DELIMITERS: Final = {
    ",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", "^": "caret", "~": "tilde", ":": "colon",
    "\x1f": "unit separator", "\x01": "control-A",
}  # fmt: skip
_SAMPLE = 20
"""Records that are looked at to find the delimiter."""


def read_records(text: str, path: Path, usual: str) -> Iterator[tuple[dict[str, str], str]]:
    """Every record under the header, by column, and its "file:line". The delimiter is the `usual` one unless the first
    records are set off by another.

    Raises `DataError` naming the line of a record that cannot be read or has other cells than the header.
    """
    text = text.replace("\r\n", "\n")
    first, told = 1, _describe(text)
    if told:
        text, first = text.partition("\n")[2], 2
    with _any_size():
        delimiter = told or find_delimiter(text, usual)
        yield from _read(text, path, delimiter, first)


def find_delimiter(text: str, usual: str) -> str:
    """What sets off the cells of `text`: of the delimiters that give a header of two cells or more, `usual` first, the
    one under which the first records have as many; else the one with the longest header."""
    line = text.partition("\n")[0]
    others = [mark for mark in DELIMITERS if mark != usual and mark in line]
    if not others:
        return usual
    widths = {mark: _widths(text, mark) for mark in (usual, *others)}
    several = {mark: found for mark, found in widths.items() if found[0] > 1}
    even = (mark for mark, found in several.items() if len(set(found)) == 1)
    return next(even, None) or max(several, key=lambda mark: several[mark][0], default=usual)


def _read(text: str, path: Path, delimiter: str, first: int) -> Iterator[tuple[dict[str, str], str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    start, values = first, 0
    try:
        for cells in reader:
            values += len(cells) + 1
            if values > text_file.MOST_VALUES:
                raise text_file.too_large_error(path, f"has more than {text_file.MOST_VALUES:,} cells")
            if header is None:
                header = _header(cells, f"{path}:{start}")
            elif cells:
                yield _record(header, cells, f"{path}:{start}", delimiter), f"{path}:{start}"
            start = reader.line_num + first
    except csv.Error as error:
        raise DataError(f"{path}:{start}: cannot be read ({error})") from None


def _header(cells: list[str], source: str) -> list[str]:
    header = [cell.strip() for cell in cells]
    known: set[str] = set()
    for name in header:
        if name and name in known:  # columns without a name are what a spreadsheet leaves behind
            raise DataError(f"{source}: has two columns called {name!r}")
        known.add(name)
    if len(header) == 1:
        raise DataError(
            f"{source}: has one column, {header[0]!r}; where it should have several, set them off by one of the "
            "delimiters comma, semicolon, tab and pipe"
        )
    return header


def _record(header: list[str], cells: list[str], source: str, delimiter: str) -> dict[str, str]:
    if len(cells) != len(header):
        raise DataError(
            f"{source}: has {len(cells)} cells where the header has {len(header)} (the delimiter is a "
            f"{DELIMITERS.get(delimiter, repr(delimiter))}; a cell that holds one needs quotes)"
        )
    return dict(zip(header, cells, strict=True))


def _describe(text: str) -> str:
    """The delimiter that a first line such as "sep=;" names for spreadsheets, "" where there is none."""
    line = text[:6].partition("\n")[0]
    return line[4] if len(line) == 5 and line.lower().startswith("sep=") else ""


def _widths(text: str, delimiter: str) -> list[int]:
    """The number of cells of the first records, [0] where the first cannot be read."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: list[int] = []
    try:
        found += (len(cells) for cells in islice(reader, _SAMPLE) if cells)
    except csv.Error:
        found.append(-1)  # no number of cells: the delimiter does not fit
    return found if found and found[0] > 0 else [0]


@contextmanager
def _any_size() -> Iterator[None]:
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)
