"""What scoring yields: the outcome of one prompt on one example, and a prompt's score on a split or a part of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from gpo.errors import ModelError
from gpo.task.answer import Prediction
from gpo.task.example import Example
from gpo.task.metrics.split_level import Counts, SplitMetric, add_up
from gpo.value_class import value_class


@dataclass(frozen=True, slots=True)
class Cut:
    """A reply that ended at its length: the `round` (1 or 2) that it belongs to, and how far it came."""

    round: int
    text: str


@value_class
class TracedCall:
    """One call that a program made: the names of the prompts whose words stand in it, what was asked and what was
    replied, each shortened for a reader."""

    parts: tuple[str, ...]
    asked: str
    reply: str


@value_class
class Outcome:
    """What became of one prompt on one example.

    `value` is the metric in 0..1, or None where the model could not answer (`failure` then says why): a failure is
    never a score of 0. `prediction` is what was read from the reply, None where it was unreadable (and scored 0).
    `reply` is the text that was read; `calls` are the journal keys of the rounds. `cut` is the reply that ended at its
    length, of two the later one; an answer may have been read all the same. `feedback` is what the metric said beside
    the value, `trace` the calls that a program made, in the order of asking.
    """

    example: Example
    value: float | None
    prediction: Prediction = None
    reply: str = ""
    calls: tuple[str, ...] = ()
    failure: str | None = None
    cut: Cut | None = None
    feedback: str = ""
    trace: tuple[TracedCall, ...] = ()

    @property
    def unreadable(self) -> bool:
        """Whether the model answered and nothing could be read from it."""
        return self.failure is None and self.prediction is None


class RowScore(NamedTuple):
    """What is kept of an outcome: its value, whether the reply was unreadable, and what was read where the score of the
    split needs it."""

    value: float | None
    unreadable: bool
    prediction: Prediction = None


@dataclass(frozen=True, slots=True)
class SplitLevel:
    """A metric of the whole split, and what each row adds to it, in the order of a score's values."""

    metric: SplitMetric
    counts: tuple[Counts, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """A prompt's values on a split (None: the call failed).

    `rows` are the indices of the examples that the values belong to; None: all of the split, in its order. A score
    on a part of a split says so (`complete`) and is not to be compared with one on all of it. With `split_level` the
    score is not the mean of the values: they tell which rows went well, and nothing else.
    """

    prompt: str
    split: str
    values: tuple[float | None, ...]
    unreadable: int = 0
    rows: tuple[int, ...] | None = None
    split_level: SplitLevel | None = None

    @property
    def complete(self) -> bool:
        """Whether it rests on the whole split."""
        return self.rows is None

    def mean(self, excluded: frozenset[int] = frozenset()) -> float:
        """Mean value in 0..1, or the score over the split, of the examples whose index is not in `excluded` and whose
        call did not fail.

        Raises `ModelError` where no example is left.
        """
        values = self.by_row()
        kept = [row for row, value in values.items() if row not in excluded and value is not None]
        if not kept:
            raise ModelError(f"no example of the {self.split} split could be scored")
        if self.split_level is not None:
            return self.split_level.metric.score(add_up(self.counts_of(kept)))
        return sum(values[row] or 0.0 for row in kept) / len(kept)

    def counts_of(self, rows: Iterable[int]) -> list[Counts]:
        """What the examples at the indices `rows` add to a score over the split. None of them without one."""
        if self.split_level is None:
            return []
        by_row = dict(zip(self.by_row(), self.split_level.counts, strict=True))
        return [by_row[row] for row in rows]

    def by_row(self) -> dict[int, float | None]:
        """The values by the index of their example."""
        rows = range(len(self.values)) if self.rows is None else self.rows
        return dict(zip(rows, self.values, strict=True))
