"""How many rows a task of a suite has, before it is read, and what the suite's caps leave of them.

Fetches nothing: of a benchmark that is not here it goes by the published sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from gpo.errors import GPOError
from gpo.paths import in_home
from gpo.task import benchmarks
from gpo.task.load import SPLITS, read_folder
from gpo.task.rows import SUFFIXES


def within(caps: Mapping[str, int], data: Any, base_dir: Path, data_dir: Path | None) -> dict[str, int]:
    """`caps`, none above what the task `data` has. Rows that are not divided yet are what `caps` divides: those stay
    as they are."""
    if not caps or not isinstance(data, str):
        return dict(caps)
    sizes = _sizes(data, base_dir, data_dir)
    return {split: min(cap, sizes.get(split, cap)) for split, cap in caps.items()}


def split_folder(name: str, base_dir: Path, data_dir: Path | None) -> Path | None:
    """The folder of split files that `task.data: NAME` is read from, None where there is none yet, or no folder."""
    if benchmarks.meant(name) and data_dir is not None:
        return data_dir / name if _split_files(data_dir / name) else None
    beside = base_dir / in_home(name)
    if _split_files(beside):
        return beside
    return benchmarks.present(name, None) if name in benchmarks.names() else None


def _sizes(name: str, base_dir: Path, data_dir: Path | None) -> Mapping[str, int]:
    """Rows a split, empty where they are not divided or cannot be read: then the run says what is wrong."""
    folder = split_folder(name, base_dir, data_dir)
    if folder is None:
        return benchmarks.find(name).sizes if name in benchmarks.names() and data_dir is None else {}
    try:
        return _counted(folder, tuple((file, file.stat().st_mtime_ns) for file in _split_files(folder)))
    except (GPOError, OSError):
        return {}


@lru_cache(maxsize=256)
def _counted(folder: Path, files: tuple[tuple[Path, int], ...]) -> Mapping[str, int]:
    """Read once; `files` have the times of their last change, so that other rows are counted anew."""
    return {split: len(rows) for split, rows in read_folder(folder).items()}


def _split_files(folder: Path) -> list[Path]:
    try:
        return sorted(file for file in folder.iterdir() if file.stem in SPLITS and file.suffix in SUFFIXES)
    except (OSError, ValueError):  # a name that no file can have
        return []
