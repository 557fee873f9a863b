"""The last duel, the analogue of early stopping on a validation set: the best of the whole run meet on fresh rows.

Who is best by the rows that chose it is flattered; rows that none of the finalists has met are not (evidence: the best
of a final population is a point better than the chosen one, `docs/beyond.md`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random

from gpo.optimizer.plus.estimates import Estimates
from gpo.optimizer.plus.rows import order_freshest_first
from gpo.optimizer.plus.table import ScoreTable

BLOCK = 4
"""Rows a round at least."""
MOST_DUELLISTS = 20
TIE_SD = 0.5
"""Standard deviations under the best within which the shorter prompt is taken."""
TIE_ROWS = 0.75
"""Of the rows that the best met."""

Judge = Callable[[], Estimates]
Eligible = Callable[[], Sequence[int]]


async def duel(table: ScoreTable, judge: Judge, eligible: Eligible, duellists: int, rng: Random) -> list[int]:
    """Spend what is left: the best `duellists` of `eligible` by `judge` meet new rows, the better half goes on, to the
    end of the rows or of the budget. Returns all that took part."""
    took_part: dict[int, None] = {}
    size = duellists
    while table.left > 0:
        best = pick_best(judge(), eligible(), size)
        took_part.update(dict.fromkeys(best))
        order = order_freshest_first([_meetings(table, best, row) for row in range(len(table.rows))], rng)
        new = {entry: [row for row in order if row not in table.outcomes(entry)] for entry in best}
        needy = [entry for entry in best if new[entry]]
        if not needy:
            if size >= min(MOST_DUELLISTS, len(eligible())):
                break
            size += 2
            continue
        rounds = max(1, int(math.log2(max(2, size))))
        share = table.left // rounds // len(needy)
        count = max(BLOCK, share // BLOCK * BLOCK)
        await table.ask_each({entry: new[entry][:count] for entry in needy})
        size = max(2, size // 2)
    return list(took_part)


def tell_few_fresh(rows: int) -> str:
    """A line for a person about a duel with too few rows of train for a block."""
    left = f"{rows} rows of train are left for the last duel"
    return f"{left}, so it is mostly on dev rows that its prompts were chosen by"


def choose_answer(table: ScoreTable, estimates: Estimates, finalists: Sequence[int]) -> int:
    """The best of `finalists`; of those within half a standard deviation of it, the shortest. One that met less than
    three quarters of its rows is only near because little is known of it."""
    best = max(finalists, key=lambda entry: float(estimates.theta[entry]))
    floor = float(estimates.theta[best]) - TIE_SD * float(estimates.sd[best])
    rows = TIE_ROWS * table.met(best)
    near = [
        entry for entry in finalists if float(estimates.theta[entry]) >= floor and table.met(entry) >= rows
    ]
    return min(near, key=lambda entry: (table.entries[entry].length, -float(estimates.theta[entry])))


def pick_best(estimates: Estimates, entries: Sequence[int], count: int) -> list[int]:
    """The `count` best of `entries`, best first; among equals the earlier one."""
    return sorted(entries, key=lambda entry: -float(estimates.theta[entry]))[:count]


def _meetings(table: ScoreTable, entries: Sequence[int], row: int) -> int:
    return sum(row in table.outcomes(entry) for entry in entries)
