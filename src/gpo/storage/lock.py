"""Lets one process at a time work in a run directory."""

from __future__ import annotations

import os
from pathlib import Path

from gpo.errors import RunError
from gpo.file_lock import FileLock, HeldError, NoLocksError
from gpo.storage.regular_file import open_regular


class RunLock(FileLock):
    """Holds the lock file `path` of a run directory. Raises `RunError` naming the process that holds it, and where
    something is in its place that is none of GPO's."""

    def __init__(self, path: Path) -> None:
        try:
            super().__init__(path)
        except HeldError as error:
            raise RunError(f"{path.parent}: {error} is working on this run; wait for it") from None
        except NoLocksError as error:
            raise RunError(
                f"{path}: the file system cannot lock files ({error.strerror}); choose a run directory on a "
                "local disk"
            ) from error
        except OSError as error:
            raise RunError(
                f"{path}: cannot be written ({error.strerror}); make the folder writable or choose another "
                "run directory"
            ) from error

    def _open(self, path: Path) -> int:
        return open_regular(path, os.O_RDWR | os.O_CREAT)

    def _check(self, path: Path, descriptor: int) -> None:
        if not _is_ours(descriptor):
            raise RunError(f"{path}: is no lock of GPO's (it holds other text); move it away")


def _is_ours(descriptor: int) -> bool:
    """Whether nothing but a process's number is lost when the text is replaced. A second name of the same file may be
    one of the user's."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, 32)
    return os.fstat(descriptor).st_nlink <= 1 and (not text or (len(text) < 32 and text.strip().isdigit()))
