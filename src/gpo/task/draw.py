"""Drawing the rows of every split: undivided rows are cut, splits that exist can be made smaller. Knows no file and
no answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from gpo.errors import ConfigError
from gpo.task.load import SPLITS, Loaded
from gpo.task.rows import Row

DEFAULT_SHARES = {"train": 0.25, "dev": 0.25, "test": 0.5}
"""How one file without `task.split` is divided."""


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
