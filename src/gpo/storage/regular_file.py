"""Opens files of a folder that may come from someone else: regular files only, links are not followed.

A link would lead to a file of the user's own, a pipe would wait for ever. The folder itself is what a person named:
links on the way to it are theirs.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from gpo.errors import RunError

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
"""Questions, prompts and answers are nobody else's business."""

MOST_BYTES = 64 * 2**20
"""Of a file that is read whole: configurations and results are far smaller."""

_NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK: int = getattr(os, "O_NONBLOCK", 0)
_CLOEXEC: int = getattr(os, "O_CLOEXEC", 0)
_BINARY: int = getattr(os, "O_BINARY", 0)


def open_regular(path: Path, flags: int = os.O_RDONLY) -> int:
    """A descriptor of the regular file `path`, made with mode 0600 where `flags` say so. Raises `RunError` where
    something else is there (a link, a folder, a pipe, a device), and `OSError` as `os.open` does."""
    try:
        # Not blocking: to open a pipe would wait for its other end.
        descriptor = os.open(path, flags | _NOFOLLOW | _NONBLOCK | _CLOEXEC | _BINARY, PRIVATE_FILE)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR) or _is_odd(path):
            raise irregular_error(path) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode) or (not _NOFOLLOW and path.is_symlink()):
        os.close(descriptor)
        raise irregular_error(path)
    return descriptor


def read_regular(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of the regular file `path`. Raises `RunError` with one line, also for more than `most` bytes."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror or error})") from None
    if len(content) > most:
        raise RunError(
            f"{path}: is larger than {most / 2**20:g} MiB, which no file of GPO's is; move it away"
        )
    return content


def size_of_regular(path: Path) -> int | None:
    """Bytes of the regular file `path`, None where there is nothing. Raises `RunError` where something else is there,
    and `OSError`."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):
        raise irregular_error(path)
    return found.st_size


def refuse_second_name(path: Path) -> None:
    """Raise `RunError` where `path` is one of several names of a file (a hard link), so that who writes it in place
    changes a file elsewhere. Also raises `OSError`."""
    try:
        names = path.lstat().st_nlink
    except (FileNotFoundError, NotADirectoryError):
        return
    if names > 1:
        raise RunError(
            f"{path}: has a second name elsewhere (a hard link), and both would change; put a copy in its place"
        )


def irregular_error(path: Path) -> RunError:
    """The line for what is no regular file."""
    return RunError(
        f"{path}: is no regular file (a link, a pipe or a folder), which GPO does not open; move it away"
    )


def _is_odd(path: Path) -> bool:
    try:
        return not stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
