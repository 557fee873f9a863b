"""Writing a file whole or not at all. Knows no run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gpo.errors import RunError


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content`: after a kill or a power cut there is the old file or the new one.

    Raises `RunError` with one line.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        try:
            with open(temporary, "wb") as file:
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


def text_bytes(text: str) -> bytes:
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
