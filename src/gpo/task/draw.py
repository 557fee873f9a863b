"""Draws the rows of every split: undivided rows are cut, splits that exist can be made smaller."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from gpo.errors import ConfigError
from gpo.task.files.rows import Row
from gpo.task.load import SPLITS, Loaded

DEFAULT_SHARES = {"train": 0.25, "dev": 0.25, "test": 0.5}
"""How one file without `task.split` is divided."""


def draw(
    loaded: Loaded, split: Mapping[str, int] | None, *, seed: int, key: Callable[[Row], str] | None
) -> tuple[dict[str, list[Row]], list[str]]:
    """Rows a split and warnings. Undivided rows are shuffled with `seed` and cut into `split` (or `DEFAULT_SHARES`); a
    row whose `key` another one has is left out, out of test rather than of another split, and replaced where rows are
    left. Of splits that exist, as many rows as `split` says are drawn and keep their order. What stands in test rows
    decides of no other split.

    Raises `ConfigError` where there are too few rows.
    """
    if loaded.pool is None:
        if absent := [name for name in split or {} if name not in loaded.splits]:
            raise ConfigError(f"task.split.{absent[0]}: {loaded.name} has no {absent[0]} split")
        return {name: _some(name, rows, split, seed) for name, rows in loaded.splits.items()}, []
    rows = list(loaded.pool)
    keys = {id(row): str(number) if key is None else key(row) for number, row in enumerate(rows)}
    different = len(set(keys.values()))
    counts = dict(split) if split else _default_counts(len(rows))
    if split and (wanted := sum(counts.values())) > different:
        raise ConfigError(
            f"task.split: asks for {wanted} rows, but {loaded.name} has {different} different ones"
        )
    random.Random(f"{seed}/split").shuffle(rows)
    left_out = len(rows) - different
    warnings = [f"{left_out} rows repeat the input of an earlier row and were left out"] if left_out else []
    return _cut(rows, counts, lambda row: keys[id(row)]), warnings


def _cut(rows: Sequence[Row], counts: Mapping[str, int], key: Callable[[Row], str]) -> dict[str, list[Row]]:
    """`rows` cut into consecutive parts of `counts` rows; then repeated ones go, those of test last to be kept, and
    the rows behind the parts take their places."""
    parts: dict[str, Sequence[Row]] = {}
    start = 0
    for name in SPLITS:
        end = start + counts.get(name, 0)
        parts[name], start = rows[start:end], end
    seen: set[str] = set()

    def new(row: Row) -> bool:
        known = len(seen)
        seen.add(key(row))
        return len(seen) > known

    order = [*(name for name in SPLITS if name != "test"), "test"]
    drawn: dict[str, list[Row]] = {name: [] for name in SPLITS}
    spare = iter(rows[start:])
    for learnt in (order[:-1], order[-1:]):
        for name in learnt:
            drawn[name] = [row for row in parts[name] if new(row)]
        for name in learnt:
            while len(drawn[name]) < counts.get(name, 0) and (row := next(spare, None)) is not None:
                drawn[name] += [row] if new(row) else []
    return drawn


def _default_counts(rows: int) -> dict[str, int]:
    train, dev = (int(DEFAULT_SHARES[name] * rows) for name in ("train", "dev"))
    return {"train": train, "dev": dev, "test": rows - train - dev}


def _some(name: str, rows: Sequence[Row], split: Mapping[str, int] | None, seed: int) -> list[Row]:
    wanted = (split or {}).get(name, len(rows))
    if wanted > len(rows):
        raise ConfigError(f"task.split.{name}: asks for {wanted} rows, but there are {len(rows)}")
    kept = sorted(random.Random(f"{seed}/split/{name}").sample(range(len(rows)), wanted))
    return [rows[index] for index in kept]
