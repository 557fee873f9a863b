"""Writes a file whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gpo.errors import RunError
from gpo.storage.regular_file import PRIVATE_FILE


def write_atomically(path: Path, content: bytes, *, private: bool = False) -> None:
    """Replace `path` by `content`: after a kill or a power cut there is the old file or the new one. What is `private`
    is its owner's alone (mode 0600). A link under that name is replaced and not followed.

    Raises `RunError` with one line.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        # Whatever has the name is left over from a process that was killed, or is someone's trap.
        temporary.unlink(missing_ok=True)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            with os.fdopen(os.open(temporary, flags, PRIVATE_FILE if private else 0o666), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror or error})") from error


def encode_text(text: str) -> bytes:
    """UTF-8 for a file that people read; lone surrogates, which UTF-8 cannot hold, are written as escapes."""
    return text.encode("utf-8", "backslashreplace")


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return  # Windows has no such thing as syncing a folder
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some file systems refuse it; the file itself is safe
    finally:
        os.close(descriptor)
