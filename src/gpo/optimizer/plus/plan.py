"""The budget as a plan, the analogue of a line search with early stopping: one number says all sizes of a search.

More budget buys more steps and more rows a step alike: G = 10 (B / 300)^0.4 steps of 0.8 B / G pairs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

LEAST = 50
"""Pairs under which there is no plan: two start prompts, one step and a duel take as many."""
DUEL_SHARE = 0.2
DUELLISTS = 6
FINALISTS = 2
SCREENED_SHARE = 0.13
"""Of the budget, for the first round of the library."""
BOOTSTRAPPED_SHARE, LEAST_BOOTSTRAPPED = 0.1, 4
"""Of the budget, and runs at least, for the demonstrations of a program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """All sizes of one search of at most `pairs` (prompt, row) pairs.

    `steps` with `candidates` each, of which all meet `first_round` rows and the two best `finalist_rows`; `screened`
    start prompts of the library; `duel` pairs at the end for the best `duellists` of the whole run; `bootstrapped` runs
    of a program at the beginning, whose traces may be shown as demonstrations.
    """

    pairs: int
    steps: int
    candidates: int
    first_round: int
    finalist_rows: int
    screened: int
    duel: int
    duellists: int = DUELLISTS
    bootstrapped: int = 0

    @property
    def library(self) -> int:
        """Pairs of the library, the start prompt's own included."""
        more = min(FINALISTS, self.screened) * (self.finalist_rows - self.first_round)
        return self.screened * self.first_round + more

    @property
    def step_pairs(self) -> int:
        """Pairs of a step."""
        return step_pairs(self.candidates, self.first_round, self.finalist_rows)


def plan_schedule(
    pairs: int, *, dev: int, fresh: int, library: bool = True, duel: bool = True, shown: int = 0
) -> Schedule:
    """The plan for `pairs`, with `dev` rows and `fresh` rows of train beside them for the duel. Of `shown` rows a
    program is run on as many as a tenth of the pairs, so that its runs can be shown.

    300 pairs on 24 and 24 rows: 4 candidates, 4 rows, 8 for the finalists; 3,000 on 48 and 48: 6, 6 and 35.
    Raises `ValueError` for fewer than `LEAST`.
    """
    if pairs < LEAST:
        raise ValueError(f"{pairs} pairs are too few: gpo+ needs {LEAST}")
    kept = min(DUEL_SHARE * pairs, 0.75 * DUELLISTS * (dev + fresh)) if duel else 0.0
    steps = 10 * (pairs / 300) ** 0.4
    share = (1 - DUEL_SHARE) * pairs / steps
    candidates = 4 if share < 40 else 6
    first = min(dev, 4 if share < 80 else 6)
    final = min(dev, int(first + max(4.0, (share - candidates * first) / 2)))
    screened = max(2, int(SCREENED_SHARE * pairs / first)) if library else 1
    plan = Schedule(
        pairs=pairs,
        steps=1,
        candidates=candidates,
        first_round=first,
        finalist_rows=final,
        screened=screened,
        duel=int(kept),
        bootstrapped=min(shown, max(LEAST_BOOTSTRAPPED, int(BOOTSTRAPPED_SHARE * pairs))),
    )
    return with_library(plan, screened)


def with_library(plan: Schedule, screened: int) -> Schedule:
    """`plan` where the library has only `screened` start prompts: what it leaves goes to more steps."""
    found = replace(plan, screened=min(plan.screened, screened))
    # One step comes before the demonstrations of a program.
    room = found.pairs - found.duel - found.library - found.step_pairs
    found = replace(found, bootstrapped=max(0, min(found.bootstrapped, room)))
    steps = (found.pairs - found.duel - found.library - found.bootstrapped) // found.step_pairs
    return replace(found, steps=max(1, steps))


def step_pairs(candidates: int, first_round: int, finalist_rows: int) -> int:
    """Of one step where every candidate is new: 4 candidates on 4 rows, two of them on 8, are 24 pairs."""
    return candidates * first_round + min(FINALISTS, candidates) * (finalist_rows - first_round)
