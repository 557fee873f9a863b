"""The rows that a harness's task is about, by GPO's names of splits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gpo.errors import ConfigError
from gpo.integrations.lm_eval.yaml_file import Code
from gpo.task.benchmarks.hub import read_address
from gpo.task.files.rows import SUFFIXES, Row, read_file, read_rows
from gpo.text import printable

Data = str | Path | Mapping[str, str | Path]
_SPLITS = {"training_split": "train", "validation_split": "dev", "test_split": "test"}
_OTHER_NAMES = {"validation": "dev"}


def read_data(keys: Mapping[str, Any], path: Path, data: Data | None) -> dict[str, list[Row]]:
    """Rows by GPO's split names, or under "rows" where there is one part only."""
    parts = _read_parts(path, _data_files(keys, path) if data is None else data)
    ours = {str(keys[key]): split for key, split in _SPLITS.items() if keys.get(key)}
    named = {ours[split]: rows for split, rows in parts.items() if split in ours}
    for split, rows in parts.items():  # a part that the harness has another use for is no second dev split
        if split not in ours:
            named.setdefault(_OTHER_NAMES.get(split, split), rows)
    if not any(named.values()):
        raise ConfigError(f"{path}: its data has no rows")
    if len(named) == 1:
        return {"rows": next(iter(named.values()))}
    kept = {split: named[split] for split in _SPLITS.values() if split in named}
    if not any(kept.values()):
        known = ", ".join(dict.fromkeys([*ours, "train", "dev", "validation", "test"]))
        raise ConfigError(f"{path}: no split of its data ({', '.join(parts)}) is known with rows: {known}")
    return _fill(kept)


def _data_files(keys: Mapping[str, Any], path: Path) -> Data:
    said = keys.get("dataset_kwargs")
    files: Any = said.get("data_files") if isinstance(said, Mapping) else None
    if not files or isinstance(files, Code):
        name, part = keys.get("dataset_path"), keys.get("dataset_name")
        address = (
            f", or hf:{printable(f'{name}/{part}' if part else str(name))} for the hub's" if name else ""
        )
        raise ConfigError(
            f"{path}: its data set {name!a} is not here; give its rows with data= (gpo init: --data): a local file, a "
            f"folder with a file for each split{address}"
        )
    several = files.values() if isinstance(files, Mapping) else [files]
    if not all(isinstance(name, str) for name in several):
        raise ConfigError(
            f"{path}: data_files must be a file, or a file for each split; give its rows with data= (gpo init: --data)"
        )
    found: Data = files
    return found


def _read_parts(path: Path, data: Data) -> dict[str, list[Row]]:
    if isinstance(data, Mapping):
        return {str(split): read_rows(_find(path, name)) for split, name in data.items()}
    if isinstance(data, str) and data.startswith("hf:"):
        parts = read_address(data)
        return {
            split: [
                Row(values, f"{data} {split} row {number}") for number, values in enumerate(rows, start=1)
            ]
            for split, rows in parts.items()
        }
    where = _find(path, data)
    if where.is_dir():
        return {file.stem: read_rows(file) for file in sorted(where.iterdir()) if file.suffix in SUFFIXES}
    found = read_file(where)
    return found if isinstance(found, dict) else {"rows": found}


def _fill(kept: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """Of two parts one is test (as in the harness, dev where there is no test), and the other one serves as train and
    dev, row by row in turn."""
    last = "test" if kept.get("test") else "dev"
    if len(kept) == 2:
        (other,) = set(kept) - {last}
        return {"train": kept[other][::2], "dev": kept[other][1::2], "test": kept[last]}
    return kept


def _find(path: Path, name: str | Path) -> Path:
    beside = path.parent / name
    return beside if beside.exists() else Path(name)
