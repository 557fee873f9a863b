"""Where a benchmark's rows lie: the user's data folder, else a copy kept from the Hugging Face hub.

Either is a folder with train.jsonl, dev.jsonl, test.jsonl and, where there are such rows, format.jsonl and
demos.jsonl.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from gpo.errors import ConfigError, DataError
from gpo.paths import home
from gpo.task.benchmarks import hub
from gpo.task.benchmarks.catalog import find, list_names
from gpo.task.benchmarks.spec import Benchmark, Rows
from gpo.task.files.rows import SUFFIXES


def get_folder(name: str, data_dir: Path | None) -> Path:
    """The folder with the split files of one benchmark; fetched from the hub where it is nowhere yet.

    `data_dir`, where given, is the only place that is looked at. Raises `ConfigError` for an unknown name and where
    the rows cannot be had.
    """
    benchmark = find(name)
    if (found := find_folder(name, data_dir)) is not None:
        return found
    if data_dir is None:
        return _fetch_and_keep(benchmark)
    if not data_dir.is_dir():
        raise ConfigError(f"--data-dir (GPO_DATA_DIR): there is no folder {data_dir}")
    raise ConfigError(
        f"task.data: {data_dir} has no folder {name} with train.jsonl, dev.jsonl and test.jsonl; without "
        "--data-dir (GPO_DATA_DIR) it is fetched from the Hugging Face hub"
    )


def find_folder(name: str, data_dir: Path | None) -> Path | None:
    """The same folder where it is here already, None otherwise: nothing is fetched."""
    place = _copy_path(find(name)) if data_dir is None else data_dir / name
    return place if any((place / f"train{suffix}").is_file() for suffix in SUFFIXES) else None


def list_present(data_dir: Path) -> tuple[str, ...]:
    """The benchmarks that `data_dir` has rows of."""
    return tuple(name for name in list_names() if find_folder(name, data_dir) is not None)


def _copy_path(benchmark: Benchmark) -> Path:
    return home() / "benchmarks" / benchmark.name / benchmark.home.revision.replace("/", "-")


def _fetch_and_keep(benchmark: Benchmark) -> Path:
    parts = hub.read(benchmark.home.repo, benchmark.home.config, benchmark.home.revision)
    try:
        splits = benchmark.divide(parts)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        problem = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise DataError(
            f"task.data: the rows of {benchmark.home} are not as {benchmark.name} expects them ({problem})"
        ) from None
    place = _copy_path(benchmark)
    try:
        _keep(splits, place)
    except OSError as error:
        raise ConfigError(f"{place}: the rows cannot be kept ({error.strerror}); set GPO_HOME") from None
    return place


def _keep(splits: Mapping[str, Rows], place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".new-", dir=place.parent))
    try:
        for split, rows in splits.items():
            lines = [json.dumps(row) + "\n" for row in rows]
            (made / f"{split}.jsonl").write_text("".join(lines), encoding="ascii")
        os.replace(made, place)
    except OSError:
        # Another process may have been quicker: its rows are the same.
        if not place.is_dir():
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
