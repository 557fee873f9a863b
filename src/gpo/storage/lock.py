"""One process a run directory. Knows nothing of what is in it."""

from __future__ import annotations

from pathlib import Path

from gpo.errors import RunError
from gpo.file_lock import FileLock, HeldError, NoLocksError


class RunLock(FileLock):
    """Holds the lock file `path` of a run directory. Raises `RunError` naming the process that holds it."""

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
