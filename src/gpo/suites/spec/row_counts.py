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
from gpo.task import benchmarks, load
from gpo.task.files.rows import read_rows


def limit_counts(
    caps: Mapping[str, int | float], data: Any, base_dir: Path, data_dir: Path | None
) -> dict[str, int | float]:
    """`caps`, none above what the task `data` has; a share is never above it. Rows that are not divided yet are what
    `caps` divides: those stay as they are."""
    if not caps or not isinstance(data, str | Mapping):
        return dict(caps)
    sizes = _sizes(data, base_dir, data_dir) if isinstance(data, str) else _count_files(data, base_dir)
    return {
        split: cap if isinstance(cap, float) else min(cap, sizes.get(split, cap))
        for split, cap in caps.items()
    }


def split_folder(name: str, base_dir: Path, data_dir: Path | None) -> Path | None:
    """The folder of split files that `task.data: NAME` is read from, None where there is none yet, or no folder."""
    if benchmarks.looks_like_benchmark(name) and data_dir is not None:
        return data_dir / name if row_files(data_dir / name) else None
    beside = base_dir / in_home(name)
    if row_files(beside):
        return beside
    return benchmarks.find_folder(name, None) if name in benchmarks.list_names() else None


def _sizes(name: str, base_dir: Path, data_dir: Path | None) -> Mapping[str, int]:
    """Rows a split, empty where they are not divided or cannot be read: then the run says what is wrong."""
    folder = split_folder(name, base_dir, data_dir)
    if folder is None:
        return benchmarks.find(name).sizes if name in benchmarks.list_names() and data_dir is None else {}
    try:
        return _count_rows(folder, tuple((file, file.stat().st_mtime_ns) for file in row_files(folder)))
    except (GPOError, OSError):
        return {}


def _count_files(data: Mapping[str, Any], base_dir: Path) -> Mapping[str, int]:
    """Rows of `task.data: {train: FILE, …}`, as far as they can be read."""
    found = {}
    for split, name in data.items():
        path = base_dir / in_home(str(name))
        try:
            found[load.OTHER_NAMES.get(split, split)] = _rows_in(path, path.stat().st_mtime_ns)
        except (GPOError, OSError, ValueError):
            continue
    return found


@lru_cache(maxsize=256)
def _rows_in(file: Path, _changed: int) -> int:
    return len(read_rows(file))


@lru_cache(maxsize=256)
def _count_rows(folder: Path, files: tuple[tuple[Path, int], ...]) -> Mapping[str, int]:
    """Read once; `files` have the times of their last change, so that other rows are counted anew."""
    return {split: len(rows) for split, rows in load.read_folder(folder).items()}


def row_files(folder: Path) -> list[Path]:
    """The files in `folder` that rows are read from, in the order of their names."""
    try:
        return sorted(load.split_files(folder).values())
    except (GPOError, OSError, ValueError):  # a split twice, a name that no file can have
        return []
