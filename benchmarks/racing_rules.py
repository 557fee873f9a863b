"""Procedures that racing was chosen from, each on a table of values (candidates × rows in their order).

Every rule returns the index of its winner and the number of values that it asked for; the winner's are always all asked
for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

Table = Sequence[Sequence[float]]
Rule = Callable[[Table], tuple[int, int]]


def full(table: Table) -> tuple[int, int]:
    """Score everybody on everything; the first of equals wins."""
    return _best(table, range(len(table)), len(table[0])), len(table) * len(table[0])


def halving(*ends: float) -> Rule:
    """Sequential halving with heats that end at these shares of the rows."""

    def rule(table: Table) -> tuple[int, int]:
        left, done, asked, rows = list(range(len(table))), 0, 0, len(table[0])
        for end in ends:
            until = int(rows * end)
            asked, done = asked + len(left) * (until - done), until
            keep = max(2, (len(left) + 1) // 2)
            left = sorted(sorted(left, key=lambda c: -sum(table[c][:until]))[:keep])
        return _best(table, left, rows), asked + len(left) * (rows - done)

    return rule


def paired(z: float, *, first: int = 8, step: int = 4) -> Rule:
    """Drop who lies more than `z` standard errors of the paired difference behind the leader, as in a t-test."""

    def behind(leader: Sequence[float], other: Sequence[float]) -> bool:
        size = len(leader)
        gaps = [a - b for a, b in zip(leader, other, strict=True)]
        mean = sum(gaps) / size
        spread = max(sum(gap * gap for gap in gaps) / size - mean * mean, 1 / size)
        return mean > z * math.sqrt(spread / size)

    return _dropping(behind, first, step)


def betting(level: float, *, step: int = 6) -> Rule:
    """Drop whom an e-process (a mixture of bets on the paired differences) puts behind the leader at any time; by
    Ville's inequality a candidate is dropped wrongly with probability `level` / 7 at most."""

    def behind(leader: Sequence[float], other: Sequence[float]) -> bool:
        wealth = 0.0
        for stake in (0.2, 0.4, 0.6, 0.8):
            wealth += math.prod(1 + stake * (a - b) for a, b in zip(leader, other, strict=True)) / 4
        return wealth > 7 / level

    return _dropping(behind, step, step)


def successive_rejects(table: Table) -> tuple[int, int]:
    """Audibert, Bubeck and Munos (2010) with half of the full budget: one candidate is rejected a phase."""
    arms, rows = len(table), len(table[0])
    left, done, asked, budget = list(range(arms)), 0, 0, arms * rows / 2
    scale = 0.5 + sum(1 / i for i in range(2, arms + 1))
    for phase in range(1, arms):
        until = min(rows, max(done, math.ceil((budget - arms) / (scale * (arms + 1 - phase)))))
        asked, done = asked + len(left) * (until - done), until
        left.remove(min(left, key=lambda c: (sum(table[c][:until]), -c)))
    return left[0], asked + rows - done


def ucb(width: float, *, batch: int = 4, share: float = 0.42) -> Rule:
    """UCB over batches of rows until `share` of the full budget is used; of the complete ones the best wins."""

    def rule(table: Table) -> tuple[int, int]:
        rows = len(table[0])
        pulled = [min(batch, rows)] * len(table)
        while sum(pulled) < share * rows * len(table) and min(pulled) < rows:
            open_ = [c for c in range(len(table)) if pulled[c] < rows]
            arm = max(
                open_,
                key=lambda c: (sum(table[c][: pulled[c]]) / pulled[c] + width / math.sqrt(pulled[c]), -c),
            )
            pulled[arm] = min(rows, pulled[arm] + batch)
        complete = [c for c in range(len(table)) if pulled[c] == rows] or list(range(len(table)))
        winner = max(complete, key=lambda c: (sum(table[c][: pulled[c]]) / pulled[c], -c))
        return winner, sum(pulled) + rows - pulled[winner]

    return rule


def _dropping(behind: Callable[[Sequence[float], Sequence[float]], bool], first: int, step: int) -> Rule:
    def rule(table: Table) -> tuple[int, int]:
        rows = len(table[0])
        left, asked = list(range(len(table))), 0
        for done, until in pairwise([0, *range(first, rows, step), rows]):
            asked += len(left) * (until - done)
            leader = _best(table, left, until)
            left = [c for c in left if c == leader or not behind(table[leader][:until], table[c][:until])]
        return _best(table, left, rows), asked

    return rule


def _best(table: Table, among: Sequence[int], until: int) -> int:
    return max(among, key=lambda c: (sum(table[c][:until]), -c))


RULES: dict[str, Rule] = {
    "full": full,
    "halving at 1/6, 1/3": halving(1 / 6, 1 / 3),
    "halving at 1/4, 1/2": halving(1 / 4, 1 / 2),
    "paired test, z = 1": paired(1.0),
    "paired test, z = 1.65": paired(1.65),
    "e-process, level 0.5": betting(0.5),
    "e-process, level 0.05": betting(0.05),
    "successive rejects": successive_rejects,
    "UCB": ucb(0.7),
}
"""By the name that the tables give."""
