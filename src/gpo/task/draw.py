"""Draws the rows of every split: undivided rows are cut, splits that exist can be made smaller."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from gpo.errors import ConfigError
from gpo.task.files.rows import Row
from gpo.task.load import SPLITS, Loaded

if TYPE_CHECKING:
    from gpo.config.task import TaskConfig

DEFAULT_SHARES = {"train": 0.25, "dev": 0.25, "test": 0.5}
"""How one file without `task.split` is divided."""
_MOST_LABELS = 50


Size = int | float
"""Rows of a split: a count, or a share between 0 and 1."""


def name_sizes(config: TaskConfig) -> dict[str, Size] | None:
    """The rows of every split that `config` gives, None where it gives none."""
    return None if config.split is None else dict(config.split.items())


def keeps_mix(config: TaskConfig) -> bool:
    """Whether the mix of labels is kept. Counts alone do not ask for it: the rows of older runs stay as they are."""
    if config.stratify is not None:
        return config.stratify
    return any(isinstance(size, float) for size in (config.split or {}).values())


def draw(
    loaded: Loaded,
    split: Mapping[str, Size] | None,
    *,
    seed: int,
    key: Callable[[Row], str] | None,
    label: Callable[[Row], str] | None = None,
) -> tuple[dict[str, list[Row]], list[str]]:
    """Rows a split and warnings. Undivided rows are shuffled with `seed` and cut into `split` (or `DEFAULT_SHARES`); a
    row whose `key` another one has is left out, out of test rather than of another split, and replaced where rows are
    left. Of splits that exist, as many rows as `split` says are drawn and keep their order; a share is one of the
    split's own rows. What stands in test rows decides of no other split.

    With `label`, where labels are few, undivided rows are cut so that every split has about the same mix of labels, and
    train has every label once it has room for them; then the labels of all rows decide.

    Raises `ConfigError` where there are too few rows.
    """
    if loaded.sized:
        return {name: list(rows) for name, rows in loaded.splits.items()}, []
    if loaded.pool is None:
        if absent := [name for name in split or {} if name not in loaded.splits]:
            raise ConfigError(f"task.split.{absent[0]}: {loaded.name} has no {absent[0]} split")
        return {name: _some(name, rows, split, seed) for name, rows in loaded.splits.items()}, []
    rows = list(loaded.pool)
    keys = {id(row): str(number) if key is None else key(row) for number, row in enumerate(rows)}
    different = len(set(keys.values()))
    counts = count_rows(split, different, loaded.name) if split else _default_counts(len(rows))
    random.Random(f"{seed}/split").shuffle(rows)
    left_out = len(rows) - different
    warnings = [f"{left_out} rows repeat the input of an earlier row and were left out"] if left_out else []
    if label is not None:
        rows = list({keys[id(row)]: row for row in reversed(rows)}.values())[::-1]
        mixed = mix_labels(rows, label)
        if mixed is not None:
            return _deal(mixed, counts, seed), warnings
    return _cut(rows, counts, lambda row: keys[id(row)]), warnings


def count_rows(split: Mapping[str, Size], rows: int, name: str) -> dict[str, int]:
    """`split` in counts of `rows` different rows; shares are rounded so that together they miss no row, and none is
    rounded to nothing. Raises `ConfigError` where they ask for more than there are."""
    counts: dict[str, int] = {}
    shares = 0.0
    for part in (part for part in SPLITS if part in split):
        size = split[part]
        if isinstance(size, float):
            first, shares = round(rows * shares), shares + size
            counts[part] = max(1, round(rows * shares) - first)
        else:
            counts[part] = size
    if shares > 1 + 1e-9:
        raise ConfigError(f"task.split: the shares come to {shares:g}; they may come to 1 at most")
    if (wanted := sum(counts.values())) > rows:
        raise ConfigError(f"task.split: asks for {wanted} rows, but {name} has {rows} different ones")
    return counts


def mix_labels(rows: Sequence[Row], label: Callable[[Row], str]) -> list[Row] | None:
    """`rows` in an order of which every stretch has about the same mix of labels, beginning with one row of each; None
    where labels are not few."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(label(row), []).append(row)
    if not 2 <= len(groups) <= min(_MOST_LABELS, len(rows) // 2):
        return None
    placed = [
        (place / len(groups[name]), number, row)
        for number, name in enumerate(sorted(groups))
        for place, row in enumerate(groups[name])
    ]
    return [row for _, _, row in sorted(placed, key=lambda item: item[:2])]


def _deal(rows: Sequence[Row], counts: Mapping[str, int], seed: int) -> dict[str, list[Row]]:
    """Consecutive parts of `counts` rows, each shuffled: a batch must not go round the labels."""
    parts: dict[str, list[Row]] = {}
    start = 0
    for name in SPLITS:
        end = start + counts.get(name, 0)
        parts[name], start = list(rows[start:end]), end
        random.Random(f"{seed}/split/{name}").shuffle(parts[name])
    return parts


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


def _some(name: str, rows: Sequence[Row], split: Mapping[str, Size] | None, seed: int) -> list[Row]:
    wanted = (split or {}).get(name, len(rows))
    if isinstance(wanted, float):
        wanted = max(1, round(wanted * len(rows)))
    if wanted > len(rows):
        raise ConfigError(f"task.split.{name}: asks for {wanted} rows, but there are {len(rows)}")
    kept = sorted(random.Random(f"{seed}/split/{name}").sample(range(len(rows)), wanted))
    return [rows[index] for index in kept]
