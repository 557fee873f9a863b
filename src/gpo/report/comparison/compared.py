"""One run of a comparison: its scores with intervals, what it asked for and what was paid."""

from __future__ import annotations

from dataclasses import dataclass

from gpo.evaluation.statistics import Interval
from gpo.report.data import RunView

_COLOURS, _DASHES = 8, 4


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls, tokens read and written, and dollars (None: unknown) of all roles together."""

    calls: int
    tokens: int
    usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One run of a comparison. `number` counts from 1 and names it in the pictures; scores are shares in 0..1.

    `asked` is what the run asks for, whether a call was sent or answered by the user's store; `paid` is the part that
    was sent."""

    number: int
    name: str
    run: RunView
    dev: Interval | None
    test: Interval | None
    asked: Cost
    paid: Cost

    @property
    def series(self) -> str:
        """The classes of its line: a colour, and a dash pattern that tells it apart without."""
        place = self.number - 1
        return f"series s{place % _COLOURS} d{(place // _COLOURS) % _DASHES}"

    @property
    def accuracy(self) -> float | None:
        """The best prompt's test score, or its dev score where test was not evaluated."""
        score = self.test or self.dev
        return score.mean if score else None
