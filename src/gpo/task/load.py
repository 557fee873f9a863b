"""Reads the rows of every split that `task.data` names: files, folders, builtin tasks, benchmarks."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpo.errors import ConfigError, DataError
from gpo.paths import in_home
from gpo.task.files.frame import rows_of
from gpo.task.files.rows import SUFFIXES, Row, read_file, read_rows

SPLITS = ("train", "dev", "test", "format", "demos")
OTHER_NAMES = {"validation": "dev", "valid": "dev", "val": "dev", "eval": "dev", "demonstrations": "demos"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Rows a split; `pool` holds rows that are not divided yet. `defaults` are `task` keys that a builtin
    task or a benchmark brings (used where the configuration leaves them out). `sized` splits have the sizes that were
    asked for."""

    name: str
    splits: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    pool: Sequence[Row] | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    sized: bool = False


def load(
    data: str | Path | Mapping[str, str | Path],
    *,
    base_dir: Path,
    seed: int,
    split: Mapping[str, int | float] | None,
    data_dir: Path | None = None,
) -> Loaded:
    """Read what `task.data` names; relative paths start at `base_dir`. Benchmarks are read from `data_dir`, where
    there is one, else from a folder of their name in `base_dir`, else from the Hugging Face hub.

    Raises `ConfigError` where nothing is found under that name and `DataError` for a row that cannot be read.
    """
    if isinstance(data, Mapping):
        return Loaded(_name(data), _mapped(data, base_dir))
    name = str(data)
    if name.startswith("gpo/"):
        return _builtin(name, seed, split)
    if name.startswith("hf:"):
        return _from_hub(name, seed, split)
    path = base_dir / in_home(name)
    if (found := _benchmark(name, path, data_dir)) is not None:
        return found
    if path.is_dir():
        return Loaded(path.name, read_folder(path))
    if path.exists():
        rows = read_file(path)
        if isinstance(rows, dict):
            return Loaded(path.stem, _name_splits(rows, str(path)))
        return Loaded(path.stem, pool=rows)
    raise ConfigError(
        f"task.data: no file or folder {path}; tasks that are known by name are listed by gpo tasks list"
    )


def is_here(name: str, base_dir: Path, data_dir: Path | None) -> bool:
    """Whether the rows of `task.data: NAME` can be read without fetching them; of a wrong name, too, the reader says
    what is wrong."""
    from gpo.task import benchmarks

    if name.startswith("hf:"):
        return False
    if data_dir is not None or name not in benchmarks.list_names():
        return True
    return bool(split_files(base_dir / in_home(name))) or benchmarks.find_folder(name, None) is not None


def load_rows(
    rows: Iterable[Mapping[str, Any]] | Mapping[str, Iterable[Mapping[str, Any]]], name: str
) -> Loaded:
    """The same for rows from Python: a list, or a mapping of split to list."""
    if isinstance(rows, Mapping):
        return Loaded(name, _name_splits({key: _rows(part, str(key)) for key, part in rows.items()}, name))
    return Loaded(name, pool=_rows(rows, "rows"))


def _mapped(data: Mapping[str, str | Path], base_dir: Path) -> dict[str, list[Row]]:
    return _name_splits(
        {name: read_rows(base_dir / in_home(path)) for name, path in data.items()}, "task.data"
    )


def read_folder(path: Path) -> dict[str, list[Row]]:
    """The rows of the split files in the folder `path`. Raises `ConfigError` where there are none."""
    files = split_files(path)
    if not files:
        raise ConfigError(f"{path}: holds no split files such as train.jsonl, dev.jsonl and test.jsonl")
    return {name: read_rows(files[name]) for name in SPLITS if name in files}


def split_files(path: Path) -> dict[str, Path]:
    """The file of every split in the folder `path`; none where it is no folder."""
    files: dict[str, Path] = {}
    for suffix in SUFFIXES:
        for file in sorted(path.glob(f"*{suffix}")):
            name = OTHER_NAMES.get(file.stem, file.stem)
            if name not in SPLITS:
                continue
            if name in files:
                raise ConfigError(
                    f"{path}: both {files[name].name} and {file.name} hold the {name} split; keep one"
                )
            files[name] = file
    return files


def _name_splits(found: Mapping[str, list[Row]], source: str) -> dict[str, list[Row]]:
    splits: dict[str, list[Row]] = {}
    for key, rows in found.items():
        name = OTHER_NAMES.get(key, key)
        if name not in SPLITS or name in splits:
            problem = "is given twice" if name in splits else f"is none of {', '.join(SPLITS)}"
            raise ConfigError(f"{source}: the split {key!r} {problem}")
        splits[name] = rows
    return splits


def _builtin(name: str, seed: int, split: Mapping[str, int | float] | None) -> Loaded:
    from gpo.task import builtin

    rows, defaults = builtin.load(name.removeprefix("gpo/"), seed=seed, split=split)
    splits = {key: _rows(part, f"{name}: {key}") for key, part in rows.items()}
    return Loaded(name, splits, defaults=defaults, sized=True)


def _benchmark(name: str, path: Path, data_dir: Path | None) -> Loaded | None:
    """The benchmark of that name, None where `name` is no benchmark but a file or folder."""
    from gpo.task import benchmarks

    if not benchmarks.looks_like_benchmark(name):
        return None
    if name not in benchmarks.list_names():
        if path.is_file() or split_files(path):
            return None
        benchmarks.find(name)  # which says what is wrong with the name
    beside = data_dir is None and split_files(path)
    folder = path if beside else benchmarks.get_folder(name, data_dir)
    return Loaded(name, read_folder(folder), defaults=benchmarks.find(name).defaults())


def _from_hub(address: str, seed: int, split: Mapping[str, int | float] | None) -> Loaded:
    """All splits of a data set on the hub that we have a name for; without a dev split, train is divided."""
    from gpo.task.benchmarks.hub import read_address

    read = read_address(address)
    found: dict[str, list[Row]] = {}
    for part, rows in read.items():
        name = OTHER_NAMES.get(part, part)
        if name in SPLITS and name not in found:
            found[name] = _rows(rows, f"{address} {part}")
    if not found:
        raise ConfigError(
            f"task.data: {address} has no train, validation or test split, but {', '.join(read)}"
        )
    if len(found) == 1:
        return Loaded(address, pool=next(iter(found.values())))
    if "dev" not in found and "train" in found:
        train = found["train"]
        random.Random(f"{seed}/split/dev").shuffle(train)
        wanted = (split or {}).get(
            "dev", 0.5
        )  # of a share it is half of train, and `draw` takes the share of that
        size = len(train) // 2 if isinstance(wanted, float) else min(wanted, len(train))
        found["dev"], found["train"] = train[:size], train[size:]
    return Loaded(address, found)


def _rows(rows: Iterable[Mapping[str, Any]], source: str) -> list[Row]:
    found = []
    for number, values in enumerate(rows_of(rows, source), start=1):
        if not isinstance(values, Mapping):
            raise DataError(f"{source}: row {number} is {type(values).__name__} and not a mapping of columns")
        found.append(Row({str(key): value for key, value in values.items()}, f"{source} row {number}"))
    return found


def _name(data: Mapping[str, str | Path]) -> str:
    first = Path(str(next(iter(data.values()), "task")))
    return first.parent.name or first.stem
