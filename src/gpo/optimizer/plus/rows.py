"""Which rows are asked first, the analogue of importance sampling: those that tell good prompts apart.

A row that every good prompt gets right, or none, says nothing about which is better. Labels alternate, so that a prompt
that always says the same cannot do well. (p1, arXiv 2604.08801; IPOMP, arXiv 2505.10736.) Pure functions of their seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random


def order_rows(labels: Sequence[str], information: Sequence[float] | None, rng: Random) -> list[int]:
    """The numbers of all rows: by `information` (rounded, ties random), else in random order, and one of each label in
    turn."""
    rows = list(range(len(labels)))
    rng.shuffle(rows)
    if information is not None:
        rows.sort(key=lambda row: -round(information[row], 2))
    queues: dict[str, list[int]] = {}
    for row in rows:
        queues.setdefault(labels[row], []).append(row)
    found: list[int] = []
    for turn in range(max(map(len, queues.values()), default=0)):
        found += [queue[turn] for queue in queues.values() if turn < len(queue)]
    return found


def order_freshest_first(met: Sequence[int], rng: Random) -> list[int]:
    """The numbers of all rows, those first that the fewest of the finalists `met`; ties random."""
    rows = list(range(len(met)))
    rng.shuffle(rows)
    return sorted(rows, key=lambda row: met[row])
