"""Edit distance, the analogue of the learning rate: how many words may change at a step, and how many did.

Paper: Update Method, Analogical Learning Rate; the rows of Table 3. Knows step numbers and words, nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


class EditDistance(Protocol):
    """An option of this part: a schedule of the limit."""

    def limit(self, step: int, total: int) -> int | None:
        """Words that may change at step `step` (from 0) of `total`; None is no limit."""


class NoLimit:
    """Any number of words may change."""

    def limit(self, step: int, total: int) -> int | None:
        """None at every step."""
        return None


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same limit at every step."""

    initial: int = 50

    def limit(self, step: int, total: int) -> int | None:
        """`initial` at every step."""
        return self.initial


@dataclass(frozen=True, slots=True)
class Linear:
    """initial + (final − initial) · t/T, rounded down."""

    initial: int = 50
    final: int = 10

    def limit(self, step: int, total: int) -> int | None:
        """The limit in whole words."""
        return math.floor(self.initial + (self.final - self.initial) * step / total)


@dataclass(frozen=True, slots=True)
class Cosine:
    """final + (initial − final) · ½(1 + cos(πt/T)), rounded down: wide at first, fine in the end."""

    initial: int = 50
    final: int = 10

    def limit(self, step: int, total: int) -> int | None:
        """The limit in whole words."""
        share = (1 + math.cos(math.pi * step / total)) / 2
        # Floats put an exact whole number a hair below itself; rounding down must not lose a word to that.
        return math.floor(self.final + (self.initial - self.final) * share + 1e-9)


@dataclass(frozen=True, slots=True)
class Warmup:
    """Linear from 0 to `initial` over the first steps (t/W of them), then `schedule` over the rest.

    W is ⌈5 % of the steps⌉, or `steps` where it is given.
    """

    schedule: EditDistance
    initial: int = 50
    steps: int | None = None

    def limit(self, step: int, total: int) -> int | None:
        """The limit in whole words."""
        warm = min(total, self.steps if self.steps is not None else math.ceil(total * 5 / 100))
        if step < warm:
            return math.floor(self.initial * step / warm)
        return self.schedule.limit(step - warm, total - warm)


def edit_distance(
    name: str, *, initial: int = 50, final: int = 10, warmup_steps: int | None = None
) -> EditDistance:
    """The option called `name` in a configuration."""
    base, _, suffix = name.partition("+")
    schedules: dict[str, EditDistance] = {
        "none": NoLimit(),
        "fixed": Fixed(initial),
        "linear": Linear(initial, final),
        "cosine": Cosine(initial, final),
    }
    schedule = schedules[base]
    return Warmup(schedule, initial, warmup_steps) if suffix == "warmup" else schedule


def words_changed(before: str, after: str) -> int:
    """Word-level Levenshtein distance of two prompts: words inserted, deleted or replaced."""
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(before.split(), after.split())
