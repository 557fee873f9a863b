"""From the configuration's `task.data` to splits of examples: files, folders, one file cut into splits, builtin tasks.

Knows columns and splits; how an answer is read is `gpo.task.answer`'s business.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gpo.errors import ConfigError, DataError
from gpo.task.example import Example, Target
from gpo.task.prompt import fill, placeholders
from gpo.task.rows import SUFFIXES, Row, read_rows

SPLITS = ("train", "dev", "test", "format", "demos")
REQUIRED = ("train", "dev", "test")
_ALIASES = {"dev": ("dev", "validation", "valid", "eval")}
# One file without a `split`: a quarter each for train and dev, the rest for a test that can tell a difference.
_SHARES = {"train": 0.25, "dev": 0.25}


def split_rows(
    data: str | Mapping[Any, str], split: Mapping[Any, int] | None, *, seed: int, base_dir: Path
) -> dict[str, list[Row]]:
    """Rows a split. Raises `ConfigError` naming `task.data` or `task.split`, and `DataError` naming a row."""
    if isinstance(data, Mapping):
        return {name: read_rows(_path(base_dir, file)) for name, file in data.items()}
    path = _path(base_dir, data)
    if path.is_dir():
        return _folder(path)
    if path.suffix.lower() in SUFFIXES:
        return _cut(read_rows(path), split, seed, str(path))
    raise ConfigError(
        f"task.data: {data!r} is no file, folder or builtin task (gpo tasks list); a file ends in {', '.join(SUFFIXES)}"
    )


def examples(rows: Mapping[str, Sequence[Row]], *, input: str, target: str) -> dict[str, tuple[Example, ...]]:
    """Examples a split; `input` and `target` are columns, `input` may be a template. Raises `DataError`."""
    return {
        name: tuple(_example(row, f"{name}/{index}", input, target) for index, row in enumerate(items))
        for name, items in rows.items()
    }


def check_splits(splits: Mapping[str, Sequence[Example]], *, allow_overlap: bool) -> list[str]:
    """Refuse empty splits and a test split that overlaps train or dev; returns warnings for a person."""
    for name in REQUIRED:
        if not splits.get(name):
            raise ConfigError(
                f"task.data: the {name} split is empty; give it rows, or let task.split draw some"
            )
    seen = {_plain(e.input): e for name in ("train", "dev") for e in splits[name]}
    for example in splits["test"]:
        twin = seen.get(_plain(example.input))
        if twin is not None and not allow_overlap:
            raise ConfigError(
                f"task.data: the test row {example.source or example.id} is also {twin.source or twin.id}; remove it, "
                "or set task.allow_overlap: true"
            )
    size = len(splits["dev"])
    if size < 10:
        return [f"the dev split has {size} rows: its scores are noise; use at least 10, better 50"]
    return []


def as_rows(items: Sequence[Mapping[str, Any]], where: str) -> list[Row]:
    """Rows from Python mappings."""
    return [Row(item, f"{where}: row {index}") for index, item in enumerate(items, start=1)]


def cut(
    rows: Sequence[Row], split: Mapping[Any, int] | None, *, seed: int, where: str
) -> dict[str, list[Row]]:
    """Disjoint splits of one list of rows, drawn with `seed`. Raises `ConfigError` where there are too few rows."""
    return _cut(rows, split, seed, where)


def _cut(rows: Sequence[Row], split: Mapping[Any, int] | None, seed: int, where: str) -> dict[str, list[Row]]:
    if split is None:
        sizes = {name: max(1, int(len(rows) * share)) for name, share in _SHARES.items()}
        sizes["test"] = len(rows) - sum(sizes.values())
    else:
        sizes = dict(split)
    if sum(sizes.values()) > len(rows) or sizes["test" if "test" in sizes else next(iter(sizes))] < 1:
        raise ConfigError(f"task.split: asks for {sum(sizes.values())} rows, {where} has {len(rows)}")
    shuffled = list(rows)
    random.Random(f"{seed}/split").shuffle(shuffled)
    parts: dict[str, list[Row]] = {}
    start = 0
    for name, size in sizes.items():
        parts[name] = shuffled[start : start + size]
        start += size
    return parts


def _folder(path: Path) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for name in SPLITS:
        stems = _ALIASES.get(name, (name,))
        files = [path / f"{stem}{suffix}" for stem in stems for suffix in SUFFIXES]
        file = next((file for file in files if file.is_file()), None)
        if file is not None:
            found[name] = read_rows(file)
        elif name in REQUIRED:
            raise ConfigError(
                f"task.data: the folder {path} has no {name} split ({name}.jsonl, .csv, .json or .parquet)"
            )
    return found


def _path(base_dir: Path, name: str) -> Path:
    return base_dir / Path(name).expanduser()


def _example(row: Row, id_: str, input_: str, target: str) -> Example:
    fields = {str(name): _shown(value) for name, value in row.columns.items()}
    if input_ in fields:
        text = fields[input_]
    else:
        missing = next((name for name in placeholders(input_) if name not in fields), None)
        if missing is not None or not placeholders(input_):
            raise DataError(_no_column(row, "task.input", missing or input_))
        text = fill(input_, fields)
    if target not in row.columns:
        raise DataError(_no_column(row, "task.target", target))
    if not text.strip():
        raise DataError(f"{row.source}: the input is empty")
    return Example(str(row.columns.get("id") or id_), text, _target(row, target), fields, row.source)


def _no_column(row: Row, key: str, name: str) -> str:
    columns = ", ".join(map(str, row.columns)) or "none"
    return f"{row.source}: there is no column {name!r} ({key}); the columns are {columns}"


def _target(row: Row, column: str) -> Target:
    value = row.columns[column]
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, list | tuple) and value:
        return tuple(str(item) for item in value)
    if (
        value is None
        or (isinstance(value, str) and not value.strip())
        or isinstance(value, list | tuple | dict)
    ):
        raise DataError(f"{row.source}: the target ({column!r}) is empty or no text, number or list")
    return str(value)


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "\n".join(str(item) for item in value)
    return "" if value is None else str(value)


def _plain(text: str) -> str:
    return " ".join(text.split())
