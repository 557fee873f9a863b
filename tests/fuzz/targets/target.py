"""What a fuzz target is, and how its input's first bytes choose among options.

A target is a function of bytes that returns, or raises one of GPO's own errors.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gpo.errors import GPOError

LONGEST_LINE = 2000
"""Characters that an error may have: it is one line for a person."""


@dataclass(frozen=True, slots=True)
class Target:
    """`run` is given any bytes. `seeds` are inputs to begin with, `tokens` pieces that inputs are likely made of."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    tokens: Sequence[str] = ()
    instrument: Sequence[str] = ("gpo",)
    longest: int = 4096


class Input:
    """Reads an input from its start: small numbers first, text or bytes after them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def below(self, end: int) -> int:
        """A number in 0..end-1; 0 where the input is at its end."""
        if self._at >= len(self._data):
            return 0
        self._at += 1
        return self._data[self._at - 1] % end

    def number(self) -> int:
        """A number of two bytes."""
        return self.below(256) * 256 + self.below(256)

    def take(self, size: int) -> bytes:
        """At most `size` bytes."""
        part = self._data[self._at : self._at + size]
        self._at += len(part)
        return part

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data))

    @property
    def left(self) -> int:
        """Bytes that are not read yet."""
        return len(self._data) - self._at


def scratch() -> Path:
    """A new folder for the files of a target, in memory where there is such a place: a disk is slow, and wears."""
    memory = Path("/dev/shm")
    usable = memory.is_dir() and os.access(memory, os.W_OK)
    folder = tempfile.mkdtemp(prefix="gpo-fuzz-", dir=memory if usable else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def text(data: bytes) -> str:
    """Any bytes as text, lone surrogates among it where they are no UTF-8."""
    return data.decode("utf-8", "surrogateescape")


def own(error: GPOError) -> None:
    """Check that an error is one that a person can read."""
    if not 0 < len(str(error)) <= LONGEST_LINE:
        raise AssertionError(f"an error of {len(str(error))} characters: {str(error)[:200]!r}")
