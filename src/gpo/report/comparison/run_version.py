"""Whether a run directory has changed since it was read."""

from __future__ import annotations

from pathlib import Path

_FILES = ("journal.sqlite", "journal.sqlite-wal", "result.json")


def run_version(path: Path) -> str:
    """Times and sizes of the files of the run in `path`: changes whenever something is written to it."""
    marks = []
    for name in _FILES:
        try:
            found = (path / name).stat()
            marks.append(f"{found.st_mtime_ns:x}.{found.st_size:x}")
        except OSError:
            marks.append("-")
    return "_".join(marks)
