"""A lock between processes that ends with its holder, however that one dies."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_POLL = 0.1
"""Seconds between two looks at a lock that another process holds."""

if sys.platform == "win32":
    import msvcrt

    # Windows refuses to read a locked byte: lock one far behind the text.
    _LOCKED_BYTE = 1 << 20

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class HeldError(Exception):
    """Somebody else holds the lock; the message names who, as far as is known."""


class NoLocksError(OSError):
    """The file system cannot lock files."""


class FileLock:
    """Holds the lock file `path` until it is released or the process dies. The file itself stays: to remove it would
    let two processes hold two files of the same name.

    Raises `HeldError` where another one holds it, or with `wait` blocks until that one lets go; `NoLocksError`
    where the file system cannot lock, another `OSError` where the file cannot be written. A subclass says how the file
    is opened, and what may stand in it.
    """

    def __init__(self, path: Path, *, wait: bool = False) -> None:
        self._descriptor: int | None = None
        descriptor = self._open(path)
        try:
            while not _try_acquire(descriptor):
                if not wait:
                    raise HeldError(_holder(descriptor))
                time.sleep(_POLL)
            self._check(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let others in. May be called more than once."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self, path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)

    def _check(self, path: Path, descriptor: int) -> None:
        """Raise where the text of the file, which is replaced next, is not ours to replace."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _try_acquire(descriptor: int) -> bool:
    try:
        _lock(descriptor)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise NoLocksError(error.errno, error.strerror) from error
    return True


def _holder(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, 32).decode("ascii", "replace").strip()
    if not text.isdigit():
        return "another process"
    return "this very process" if int(text) == os.getpid() else f"process {text}"
