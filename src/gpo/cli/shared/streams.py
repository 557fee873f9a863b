"""The streams of a command, which may be closed, full, or read by nobody any more.

What is said on stderr is news of the work and not the work: that nobody hears it ends nothing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import Any, TextIO, cast

_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EPIPE}


def prepare_streams() -> None:
    """Open what is closed, so that no file of a run gets the number of a stream and with it what a library says there;
    and let stderr fail in silence."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            _open_null(number, name)
    sys.stderr = cast(TextIO, _Unheard(sys.stderr))


def drop_stdout() -> None:
    """Send what is still to be written to nowhere: python would try again, and complain, while it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def is_of_stdout(error: OSError) -> bool:
    """Whether `error` came of writing to a stream: no file is named, and the disk or the reader is at fault."""
    return error.filename is None and error.errno in _UNWRITABLE


def _open_null(number: int, name: str) -> None:
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
    setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))


class _Unheard:
    """A stream whose reader may leave and whose disk may be full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
