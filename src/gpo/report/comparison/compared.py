"""One run of a comparison: its scores with intervals, what it asked for and what was paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gpo.config.models import Price
from gpo.evaluation.statistics import Interval
from gpo.model.prices import add_dollars, cost, recorded_price
from gpo.model.tally import Tally
from gpo.report.data import read_run
from gpo.report.scores import interval
from gpo.report.views import RunView
from gpo.run.directory import RunDirectory
from gpo.storage.journal_reader import JournalReader


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls, tokens read and written, and dollars (None: unknown) of all roles together; `roles` has the calls alone by
    role."""

    calls: int
    tokens: int
    usd: float | None
    roles: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One run of a comparison. `number` counts from 1 and names it; scores are shares in 0..1.

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
    def seed(self) -> int:
        """The seed of every random choice of the run."""
        return int(self.run.config.get("seed") or 0)

    @property
    def accuracy(self) -> float | None:
        """The best prompt's test score, or its dev score where test was not evaluated."""
        return self.best_test if self.best_test is not None else self.run.best_dev

    @property
    def best_test(self) -> float | None:
        """The best prompt's score on the held-out test set, None where that was not evaluated."""
        return self.run.result.scores.best.test if self.run.result and self.is_complete else None

    @property
    def initial_test(self) -> float | None:
        """The initial prompt's score on the held-out test set, None where that was not evaluated."""
        return self.run.result.scores.initial.test if self.run.result and self.is_complete else None

    @property
    def is_complete(self) -> bool:
        """Whether it came to its end, where alone the held-out test set is evaluated."""
        return self.run.status == "complete"


def read_compared(number: int, name: str, directory: Path) -> Compared:
    """The run in `directory` as a comparison needs it. Raises `RunError`."""
    run = read_run(directory)
    with JournalReader(RunDirectory(directory).journal_path) as reader:
        totals = reader.totals()
        dev = interval(reader, run.best_prompt, "dev")
        test = interval(reader, run.best_prompt, "test") if run.status == "complete" else None
    asked, paid = sum_costs(totals, run)
    return Compared(number=number, name=name, run=run, dev=dev, test=test, asked=asked, paid=paid)


def sum_costs(totals: Mapping[str, Tally], run: RunView) -> tuple[Cost, Cost]:
    """What was asked for, and the paid part of it."""
    models = run.config.get("models") or {}
    prices = {role: recorded_price(models.get(role)) for role in totals}
    everything = {role: tally.asked() for role, tally in totals.items()}
    return _cost(everything, prices), _cost(totals, prices)


def _cost(totals: Mapping[str, Tally], prices: Mapping[str, Price | None]) -> Cost:
    return Cost(
        calls=sum(tally.calls for tally in totals.values()),
        tokens=sum(tally.prompt_tokens + tally.completion_tokens for tally in totals.values()),
        usd=add_dollars(cost(tally, prices[role]) if tally.calls else 0.0 for role, tally in totals.items()),
        roles={role: tally.calls for role, tally in totals.items()},
    )
