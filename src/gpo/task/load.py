"""From `task.data` to rows a split: files, folders, builtin tasks, drawing splits. Knows no question and no
answer."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpo.errors import ConfigError, DataError
from gpo.task.rows import SUFFIXES, Row, read_file, read_rows

SPLITS = ("train", "dev", "test", "format", "demos")
DEFAULT_SHARES = {"train": 0.25, "dev": 0.25, "test": 0.5}
"""How one file without `task.split` is divided."""

_OTHER_NAMES = {"validation": "dev", "valid": "dev", "val": "dev", "eval": "dev", "demonstrations": "demos"}
_BENCHMARK = re.compile(r"(?:bbh|bbh-lite|mmlu|gsm8k|wsc|webnlg)(?:/[\w-]+)?|hf:.*")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Rows a split; `pool` holds rows that are not divided yet. `defaults` are `task` keys that a builtin
    task brings (used where the configuration leaves them out)."""

    name: str
    splits: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    pool: Sequence[Row] | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)


def load(
    data: str | Path | Mapping[str, str | Path], *, base_dir: Path, seed: int, split: Mapping[str, int] | None
) -> Loaded:
    """Read what `task.data` names; relative paths start at `base_dir`.

    Raises `ConfigError` where nothing is found under that name and `DataError` for a row that cannot be read.
    """
    if isinstance(data, Mapping):
        return Loaded(_name(data), _mapped(data, base_dir))
    name = str(data)
    if name.startswith("gpo/"):
        return _builtin(name, seed, split)
    path = base_dir / Path(name).expanduser()
    if path.is_dir():
        return Loaded(path.name, _folder(path))
    if path.exists():
        found = read_file(path)
        if isinstance(found, dict):
            return Loaded(path.stem, _named(found, str(path)))
        return Loaded(path.stem, pool=found)
    if _BENCHMARK.fullmatch(name):
        raise ConfigError(
            f"task.data: the benchmark {name!r} cannot be fetched by name yet; write the path of a folder with "
            "train.jsonl, dev.jsonl and test.jsonl"
        )
    raise ConfigError(
        f"task.data: no file or folder {path}; builtin tasks are written gpo/NAME (gpo tasks list)"
    )


def given(rows: Iterable[Mapping[str, Any]] | Mapping[str, Iterable[Mapping[str, Any]]], name: str) -> Loaded:
    """The same for rows from Python: a list, or a mapping of split to list."""
    if isinstance(rows, Mapping):
        return Loaded(name, _named({key: _rows(part, str(key)) for key, part in rows.items()}, name))
    return Loaded(name, pool=_rows(rows, "rows"))


def draw(
    loaded: Loaded, split: Mapping[str, int] | None, *, seed: int, key: Callable[[Row], str] | None
) -> tuple[dict[str, list[Row]], list[str]]:
    """Rows a split and warnings. Undivided rows are shuffled with `seed` and cut into `split` (or
    `DEFAULT_SHARES`), after rows whose `key` stood before have been left out; of splits that exist, as many
    rows as `split` says are drawn and keep their order.

    Raises `ConfigError` where there are too few rows.
    """
    if loaded.pool is None:
        if absent := [name for name in split or {} if name not in loaded.splits]:
            raise ConfigError(f"task.split.{absent[0]}: {loaded.name} has no {absent[0]} split")
        return {name: _some(name, rows, split, seed) for name, rows in loaded.splits.items()}, []
    rows = list(loaded.pool) if key is None else _different(loaded.pool, key)
    left_out = len(loaded.pool) - len(rows)
    warnings = [f"{left_out} rows repeat the input of an earlier row and were left out"] if left_out else []
    counts = dict(split) if split else _default_counts(len(rows))
    if (wanted := sum(counts.values())) > len(rows):
        raise ConfigError(
            f"task.split: asks for {wanted} rows, but {loaded.name} has {len(rows)} different ones"
        )
    random.Random(f"{seed}/split").shuffle(rows)
    drawn, start = {}, 0
    for name in SPLITS:
        end = start + counts.get(name, 0)
        drawn[name], start = rows[start:end], end
    return drawn, warnings


def _different(rows: Sequence[Row], key: Callable[[Row], str]) -> list[Row]:
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(key(row), row)
    return list(first.values())


def _default_counts(rows: int) -> dict[str, int]:
    train, dev = (int(DEFAULT_SHARES[name] * rows) for name in ("train", "dev"))
    return {"train": train, "dev": dev, "test": rows - train - dev}


def _some(name: str, rows: Sequence[Row], split: Mapping[str, int] | None, seed: int) -> list[Row]:
    wanted = (split or {}).get(name, len(rows))
    if wanted > len(rows):
        raise ConfigError(f"task.split.{name}: asks for {wanted} rows, but there are {len(rows)}")
    kept = sorted(random.Random(f"{seed}/split/{name}").sample(range(len(rows)), wanted))
    return [rows[index] for index in kept]


def _mapped(data: Mapping[str, str | Path], base_dir: Path) -> dict[str, list[Row]]:
    return _named(
        {name: read_rows(base_dir / Path(path).expanduser()) for name, path in data.items()}, "task.data"
    )


def _folder(path: Path) -> dict[str, list[Row]]:
    files: dict[str, Path] = {}
    for suffix in SUFFIXES:
        for file in sorted(path.glob(f"*{suffix}")):
            name = _OTHER_NAMES.get(file.stem, file.stem)
            if name not in SPLITS:
                continue
            if name in files:
                raise ConfigError(
                    f"{path}: both {files[name].name} and {file.name} hold the {name} split; keep one"
                )
            files[name] = file
    if not files:
        raise ConfigError(f"{path}: holds no split files such as train.jsonl, dev.jsonl and test.jsonl")
    return {name: read_rows(files[name]) for name in SPLITS if name in files}


def _named(found: Mapping[str, list[Row]], source: str) -> dict[str, list[Row]]:
    splits: dict[str, list[Row]] = {}
    for key, rows in found.items():
        name = _OTHER_NAMES.get(key, key)
        if name not in SPLITS or name in splits:
            problem = "is given twice" if name in splits else f"is none of {', '.join(SPLITS)}"
            raise ConfigError(f"{source}: the split {key!r} {problem}")
        splits[name] = rows
    return splits


def _builtin(name: str, seed: int, split: Mapping[str, int] | None) -> Loaded:
    from gpo.task import builtin

    rows, defaults = builtin.load(name.removeprefix("gpo/"), seed=seed, split=split)
    return Loaded(name, {key: _rows(part, f"{name}: {key}") for key, part in rows.items()}, defaults=defaults)


def _rows(rows: Iterable[Mapping[str, Any]], source: str) -> list[Row]:
    found = []
    for number, values in enumerate(rows, start=1):
        if not isinstance(values, Mapping):
            raise DataError(f"{source}: row {number} is {type(values).__name__} and not a mapping of columns")
        found.append(Row({str(key): value for key, value in values.items()}, f"{source} row {number}"))
    return found


def _name(data: Mapping[str, str | Path]) -> str:
    first = Path(str(next(iter(data.values()), "task")))
    return first.parent.name or first.stem
