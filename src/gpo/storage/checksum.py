"""A checksum over a row of a table: a bit that flipped on the disk is found, and is never another answer.

Knows no table. It is no signature: whoever can write the file can write a checksum too.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from zlib import crc32

Value = str | bytes | int | float | None

_float = Struct("<d").pack


def row_checksum(row: Sequence[Value]) -> int:
    """CRC-32 over all values of `row`, their types and their order; the same in every version of Python.

    Numbers of REAL columns must be floats already: SQLite gives back floats where ints were put.
    """
    crc = 0
    rest: list[Value] = []
    for value in row:
        if type(value) is bytes:
            crc = crc32(value, crc)
            rest.append(len(value))
        elif type(value) is float:  # to write its digits takes longer than all else
            crc = crc32(_float(value), crc)
            rest.append("float")
        else:
            rest.append(value)
    # Not `repr`: what it escapes changes with Unicode.
    return crc32(ascii(rest).encode("ascii"), crc)
