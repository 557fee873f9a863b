"""What every generator shares: the row type, and making rows until enough of them differ."""

from __future__ import annotations

from collections.abc import Callable

from gpo.errors import ConfigError

Row = dict[str, object]
"""One labelled row: {"input": question, "target": expected answer}, both text."""

TRIES = 500
"""Attempts at a row that differs from all before it; who fails so often has nothing new to say."""


def make_distinct_rows(task: str, n: int, make: Callable[[int], tuple[str, str]]) -> list[Row]:
    """`n` rows with different inputs; `make(i)` returns (input, target) of a candidate for row `i`.

    Raises ConfigError when `make` no longer finds an input that was not there before.
    """
    rows: dict[str, Row] = {}
    for index in range(n):
        for _ in range(TRIES):
            text, target = make(index)
            if text not in rows:
                rows[text] = {"input": text, "target": target}
                break
        else:
            raise ConfigError(f"task.split: gpo/{task} has no {n} different rows; ask for {index} or fewer")
    return list(rows.values())
