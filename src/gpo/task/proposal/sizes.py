"""How many rows train, dev and test are to have: shares of a small file, counts of a large one."""

from __future__ import annotations

from collections.abc import Mapping

SHARES: Mapping[str, float] = {"train": 0.2, "dev": 0.3, "test": 0.5}
"""Train is only shown, dev chooses the prompt, and test has to prove it."""
_ALL_ROWS = 300
"""Above so many rows the cost of a run is held down by counts."""
_MOST_TEST = 500


def propose_split(rows: int) -> dict[str, int] | dict[str, float]:
    """`task.split` for a file of `rows` different rows."""
    if rows <= _ALL_ROWS:
        return dict(SHARES)
    train, dev = (round(SHARES[name] * _ALL_ROWS) for name in ("train", "dev"))
    return {"train": train, "dev": dev, "test": min(rows - train - dev, _MOST_TEST)}


def propose_part_sizes(rows: Mapping[str, int]) -> dict[str, int] | None:
    """`task.split` for data that is divided already, `rows` of each split; None where all of them are few enough."""
    if sum(rows.values()) <= _ALL_ROWS:
        return None
    most = {"train": round(SHARES["train"] * _ALL_ROWS), "dev": round(SHARES["dev"] * _ALL_ROWS)}
    return {name: min(count, most.get(name, _MOST_TEST)) for name, count in rows.items()}
