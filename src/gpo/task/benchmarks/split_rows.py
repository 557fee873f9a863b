"""Cutting the rows of a public data set into splits of given sizes."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from gpo.errors import DataError
from gpo.task.benchmarks.spec import Rows


def split_rows(name: str, rows: Sequence[Mapping[str, Any]], sizes: Mapping[str, int]) -> dict[str, Rows]:
    """`rows` in an order that hangs on `name` alone, cut into `sizes` one split after the other.

    A repeated input counts once, so that no split holds a row of another; where that leaves too few rows, the
    largest split gets fewer. Raises `DataError` where a fifth of the rows or more would be missing.
    """
    first: dict[str, dict[str, Any]] = {}
    for row in rows:
        first.setdefault(" ".join(str(row["input"]).split()), dict(row))
    different = list(first.values())
    random.Random(f"gpo/{name}").shuffle(different)
    wanted = sum(sizes.values())
    if len(different) < 0.8 * wanted:
        raise DataError(f"{name}: {wanted} rows are needed, but its home has {len(different)} different ones")
    largest = max(sizes, key=lambda split: sizes[split])
    missing = max(0, wanted - len(different))
    splits: dict[str, Rows] = {}
    start = 0
    for split, size in sizes.items():
        end = start + size - (missing if split == largest else 0)
        splits[split] = different[start:end]
        start = end
    return splits


def split_parts(
    name: str,
    learnt: Sequence[Mapping[str, Any]],
    tested: Sequence[Mapping[str, Any]],
    sizes: Mapping[str, int],
) -> dict[str, Rows]:
    """`split_rows` for a home that keeps a part for the test: the test split is drawn from `tested`, without what the
    other splits hold, and those from `learnt`. Raises `DataError` as it does."""
    splits = split_rows(name, learnt, {split: size for split, size in sizes.items() if split != "test"})
    known = {row["input"] for rows in splits.values() for row in rows}
    apart = [row for row in tested if row["input"] not in known]
    return {**splits, **split_rows(name, apart, {"test": sizes["test"]})}
