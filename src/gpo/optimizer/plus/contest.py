"""How candidates are compared in a step: all on a few rows, the two best on more, and who is the current prompt
then."""

from __future__ import annotations

from collections.abc import Sequence

from gpo.optimizer.plus.duel import pick_best
from gpo.optimizer.plus.guessing import LEAST_ROWS
from gpo.optimizer.plus.plan import FINALISTS, Schedule
from gpo.optimizer.plus.standing import Standing
from gpo.optimizer.plus.table import ScoreTable


async def hold(
    table: ScoreTable, standing: Standing, entries: Sequence[int], order: Sequence[int], plan: Schedule
) -> list[int]:
    """All `entries` meet the first rows of `order`, and the two best those of finalists; returns these two."""
    await table.ask(entries, order[: plan.first_round])
    met = [entry for entry in entries if table.met(entry)]
    finalists = pick_best(standing.estimates, met, FINALISTS)
    await table.ask(finalists, order[: plan.finalist_rows])
    return finalists


async def pick(
    table: ScoreTable, standing: Standing, entries: Sequence[int], order: Sequence[int]
) -> int | None:
    """The best of `entries` that does not only guess, None where there is none. One that said the same so far is asked
    more rows first: on a few, nobody can tell."""
    while able := standing.able(entries):
        best = pick_best(standing.estimates, able, 1)[0]
        left = table.left
        if standing.guesses(best, least=1):
            await table.ask([best], order[:LEAST_ROWS])
        if table.left == left:
            return best
    return None
