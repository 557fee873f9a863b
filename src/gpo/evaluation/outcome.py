"""What scoring yields: the outcome of one prompt on one example, and a prompt's score on a split or a part of it."""

from __future__ import annotations

from dataclasses import dataclass

from gpo.errors import ModelError
from gpo.task.answer import Prediction
from gpo.task.example import Example


@dataclass(frozen=True, slots=True)
class Cut:
    """A reply that ended at its length: the `round` (1 or 2) that it belongs to, and how far it came."""

    round: int
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one prompt on one example.

    `value` is the metric in 0..1, or None where the model could not answer (`failure` then says why): a failure is
    never a score of 0. `prediction` is what was read from the reply, None where it was unreadable (and scored 0).
    `reply` is the text that was read; `calls` are the journal keys of the rounds. `cut` is the reply that ended at its
    length, of two the later one; an answer may have been read all the same. `feedback` is what the metric said beside
    the value.
    """

    example: Example
    value: float | None
    prediction: Prediction = None
    reply: str = ""
    calls: tuple[str, ...] = ()
    failure: str | None = None
    cut: Cut | None = None
    feedback: str = ""

    @property
    def unreadable(self) -> bool:
        """Whether the model answered and nothing could be read from it."""
        return self.failure is None and self.prediction is None


@dataclass(frozen=True, slots=True)
class Score:
    """A prompt's values on a split (None: the call failed).

    `rows` are the indices of the examples that the values belong to; None: all of the split, in its order. A score
    on a part of a split says so (`complete`) and is not to be compared with one on all of it.
    """

    prompt: str
    split: str
    values: tuple[float | None, ...]
    unreadable: int = 0
    rows: tuple[int, ...] | None = None

    @property
    def complete(self) -> bool:
        """Whether it rests on the whole split."""
        return self.rows is None

    def mean(self, excluded: frozenset[int] = frozenset()) -> float:
        """Mean value in 0..1 over the examples whose index is not in `excluded` and whose call did not fail.

        Raises `ModelError` where no example is left.
        """
        values = self.by_row()
        kept = [value for row, value in values.items() if row not in excluded and value is not None]
        if not kept:
            raise ModelError(f"no example of the {self.split} split could be scored")
        return sum(kept) / len(kept)

    def by_row(self) -> dict[int, float | None]:
        """The values by the index of their example."""
        rows = range(len(self.values)) if self.rows is None else self.rows
        return dict(zip(rows, self.values, strict=True))
