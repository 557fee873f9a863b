"""A checksum over a row of a table: a bit that flipped on the disk is found, and is never another answer.

It is no signature: whoever can write the file can write a checksum too.
"""

from __future__ import annotations

from zlib import crc32

Value = str | bytes | int | float | None


def compute_checksum(row: tuple[Value, ...]) -> int:
    """CRC-32 over all values of `row`, their types and their order; the same in every version of Python.

    Numbers of REAL columns must be floats already: SQLite gives back floats where ints were put. Large values are
    cheapest as bytes at the end.
    """
    crc, end = 0, len(row)
    while end and type(row[end - 1]) is bytes:
        end -= 1
        crc = crc32(row[end], crc)  # type: ignore[arg-type]
    # Not `repr`: what it escapes changes with Unicode.
    return crc32(ascii(row[:end]).encode("ascii"), crc)
