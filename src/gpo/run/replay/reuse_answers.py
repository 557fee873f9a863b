"""Beginning a run with the answers of another one: the calls that still apply are not made again.

An answer applies to a call of the same key.
"""

from __future__ import annotations

import os
from pathlib import Path

from gpo.errors import ConfigError
from gpo.storage.journal import Journal
from gpo.storage.journal_reader import JournalReader

_META = "fork"


def open_reused_run(directory: Path | None, journal: Journal) -> JournalReader | None:
    """The journal in the run directory `directory`, remembered in `journal`: a run that goes on uses it again without
    being told, where it is still there. Raises `ConfigError` where it cannot be used.
    """
    if directory is None:
        remembered = journal.get_meta(_META)
        if not isinstance(remembered, str) or not _journal(Path(remembered)).is_file():
            return None
        directory = Path(remembered)
    path = _journal(directory)
    if not os.path.lexists(path):
        raise ConfigError(f"--fork {directory}: there is no run in this folder")
    if path.resolve() == journal.path.resolve():
        raise ConfigError(f"--fork {directory}: is the run directory itself; choose another --run-dir")
    reader = JournalReader(path)
    if reader.empty:
        raise ConfigError(f"--fork {directory}: the run in this folder has no answers yet")
    journal.put_meta(_META, str(directory.resolve()))
    return reader


def _journal(directory: Path) -> Path:
    return directory / "journal.sqlite"
