"""Edit distance, the analogue of the learning rate: how many words may change at a step, and how many did.

Paper: Update Method, Analogical Learning Rate; the rows of Table 3.
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
    """initial + (final − initial) · t/T, rounded down, with t from 0 or, where `ahead` is 1, from 1.

    From 0 the first step has all of `initial` and the last one, t = T − 1, stands a T-th before `final`: the curve
    would come to its end at the step after it. From 1 it is the other way round.
    """

    initial: int = 50
    final: int = 10
    ahead: int = 0

    def limit(self, step: int, total: int) -> int | None:
        """The limit in whole words."""
        return math.floor(self.initial + (self.final - self.initial) * (step + self.ahead) / total)


@dataclass(frozen=True, slots=True)
class Cosine:
    """final + (initial − final) · ½(1 + cos(πt/T)), rounded down: wide at first, fine in the end.

    `ahead` as for `Linear`. From 0 the last step is above `final` too, at 50 → 10 words and 10 steps or more by less
    than a word, so that it asks for 10.
    """

    initial: int = 50
    final: int = 10
    ahead: int = 0

    def limit(self, step: int, total: int) -> int | None:
        """The limit in whole words."""
        share = (1 + math.cos(math.pi * (step + self.ahead) / total)) / 2
        # Floats put an exact whole number a hair below itself; rounding down must not lose a word to that.
        return math.floor(self.final + (self.initial - self.final) * share + 1e-9)


@dataclass(frozen=True, slots=True)
class Counting:
    """From where the schedules count: t + `ahead` in place of t. Warm-up takes `warmup_steps` (None: ⌈5 % of the
    steps⌉, the paper's initial 5 %) and is complete `beyond` steps after the last of them."""

    ahead: int = 0
    warmup_steps: int | None = None
    beyond: int = 1


PAPER = Counting()
RELEASED = Counting(ahead=1, warmup_steps=5, beyond=0)
"""As the authors' code, whose list of past prompts has one entry at the first step."""


@dataclass(frozen=True, slots=True)
class Warmup:
    """Linear up to `initial` over the first W steps, at step t to (t + 1)/(W + beyond) of it, rounded down but never 0
    words; then `schedule` over the rest."""

    schedule: EditDistance
    initial: int = 50
    counting: Counting = PAPER

    def limit(self, step: int, total: int) -> int | None:
        """The limit in whole words."""
        counting = self.counting
        warm = math.ceil(total * 5 / 100) if counting.warmup_steps is None else counting.warmup_steps
        if step < warm:
            return max(1, self.initial * (step + 1) // (warm + counting.beyond))
        return self.schedule.limit(step - warm, total - warm)


def edit_distance(
    name: str, *, initial: int = 50, final: int = 10, counting: Counting = PAPER
) -> EditDistance:
    """The option called `name` in a configuration."""
    base, _, suffix = name.partition("+")
    schedules: dict[str, EditDistance] = {
        "none": NoLimit(),
        "fixed": Fixed(initial),
        "linear": Linear(initial, final, counting.ahead),
        "cosine": Cosine(initial, final, counting.ahead),
    }
    schedule = schedules[base]
    return Warmup(schedule, initial, counting) if suffix == "warmup" else schedule


def count_changed_words(before: str, after: str) -> int:
    """Word-level Levenshtein distance of two prompts: words inserted, deleted or replaced."""
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(before.split(), after.split())
