"""One process a run directory. Knows nothing of what is in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from gpo.errors import RunError
from gpo.storage.regular_file import open_regular

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


class RunLock:
    """Holds the lock file `path` until it is released or the process dies, however it dies.

    Raises `RunError` naming the process that holds it. The file itself stays: to remove it would let two
    processes hold two files of the same name.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor: int | None = None
        try:
            descriptor = open_regular(path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise RunError(
                f"{path}: cannot be written ({error.strerror}); make the folder writable or choose another "
                "run directory"
            ) from error
        try:
            _lock(descriptor)
        except (BlockingIOError, PermissionError):
            raise RunError(
                f"{path.parent}: {_holder(descriptor)} is working on this run; wait for it"
            ) from None
        except OSError as error:
            raise RunError(
                f"{path}: the file system cannot lock files ({error.strerror}); choose a run directory on a "
                "local disk"
            ) from error
        else:
            if not _is_ours(descriptor):
                raise RunError(f"{path}: is no lock of GPO's (it holds other text); move it away")
            self._descriptor = descriptor
        finally:
            if self._descriptor is None:
                os.close(descriptor)
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let others in. May be called more than once."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _is_ours(descriptor: int) -> bool:
    """Whether nothing but a process's number is lost when the text is replaced. A second name of the same file may be
    one of the user's."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, 32)
    return os.fstat(descriptor).st_nlink <= 1 and (not text or (len(text) < 32 and text.strip().isdigit()))


def _holder(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, 32).decode("ascii", "replace").strip()
    if not text.isdigit():
        return "another process"
    return "this very process" if int(text) == os.getpid() else f"process {text}"
