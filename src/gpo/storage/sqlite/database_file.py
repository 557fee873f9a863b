"""What is known of a database before SQLite opens it: a regular file with GPO's mark, and side files that do no harm.

Opening is not harmless: SQLite replays what lies beside a database, and follows links.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gpo.storage.regular_file import open_regular, refuse_second_name, size_of_regular

MAGIC = b"SQLite format 3\x00"
_HEADER = 100
_APPLICATION_ID = slice(68, 72)
_WAL_HEADER, _FRAME_HEADER = 32, 24
_MOST_FRAMES = 256
"""Page 1 is in the first transaction of a log, which is small where the file itself has no mark yet."""
_SUPER_JOURNAL = bytes.fromhex("d9d505f920a163d7")


class NotOurs(Exception):
    """Why a file must not be opened: "damaged" or "foreign"."""


def side_file(path: Path, suffix: str) -> Path:
    """The file that SQLite keeps beside `path`: "-wal", "-shm" or "-journal"."""
    return path.with_name(path.name + suffix)


def inspect(path: Path, application_id: int, *, to_write: bool = False) -> None:
    """Raise `RunError` where `path` or a file beside it is no regular one or, where it may be written, has a second
    name; `NotOurs` where it is no database or another program's. Also raises `OSError`.

    Not while this process has the file open: to close a descriptor would let go of SQLite's locks.
    """
    for side in (side_file(path, suffix) for suffix in ("-wal", "-shm", "-journal")):
        size_of_regular(side)
        refuse_second_name(side)  # SQLite writes into some of them for those who only read, too
    if to_write:
        refuse_second_name(path)
    # A journal of several databases at once names a file that SQLite then deletes. GPO never makes one.
    if _end_of(side_file(path, "-journal"), len(_SUPER_JOURNAL)) == _SUPER_JOURNAL:
        raise NotOurs("damaged")
    with os.fdopen(open_regular(path), "rb") as file:
        header = file.read(_HEADER)
    if not header:
        return  # a process was killed before it wrote anything
    if not header.startswith(MAGIC) or len(header) < _HEADER:
        raise NotOurs("damaged")
    for page in (header, *_first_pages(side_file(path, "-wal"))):
        if page[_APPLICATION_ID] not in (bytes(4), application_id.to_bytes(4, "big")):
            raise NotOurs("foreign")


def _end_of(path: Path, size: int) -> bytes:
    """The last bytes of a side file; nothing where there is none."""
    if not size_of_regular(path):
        return b""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - size))
            return file.read()
    except FileNotFoundError:
        return b""  # another process has just ended its transaction


def _first_pages(log: Path) -> Iterator[bytes]:
    """The headers that the log has for the database, which SQLite takes in place of the file's own."""
    if not size_of_regular(log):
        return
    try:
        descriptor = open_regular(log)
    except FileNotFoundError:
        return  # another process has just closed the database, and SQLite its log
    with os.fdopen(descriptor, "rb") as file:
        page_size = int.from_bytes(file.read(_WAL_HEADER)[8:12], "big")
        if not 512 <= page_size <= 65536:
            return  # no log: SQLite takes nothing from it
        for number in range(_MOST_FRAMES):
            file.seek(_WAL_HEADER + number * (_FRAME_HEADER + page_size))
            frame = file.read(_FRAME_HEADER + _HEADER)
            if len(frame) < _FRAME_HEADER + _HEADER:
                return
            if int.from_bytes(frame[:4], "big") == 1:
                yield frame[_FRAME_HEADER:]
