"""A scored table of prompts × rows, and what an allocation rule may do with it: ask for values, draw a child, spend.

Children are drawn from the pool in place of an optimizer's proposals: what is replayed is allocation and choice alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = Sequence[int]


class Spent(Exception):
    """The budget does not cover the next value, or the pool has no further child: the search is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredTable:
    """Values in 0..1 of every prompt on the rows of search (prompts × rows) and on held-out rows; `start` is the prompt
    that searches begin with, `texts` are the prompts. Of the rows of search `labels` are the right answers and `said`
    (prompts × rows) what was read; both may be left out."""

    search: Floats
    held_out: Floats
    texts: Sequence[str]
    start: int = 0
    labels: tuple[str, ...] = ()
    said: Sequence[Sequence[str | None]] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule hands out: a prompt, and the dev score that it says the prompt has."""

    prompt: int
    dev: float


class Replay:
    """One search under `budget` calls. The rows are dealt into train and dev, and children drawn, by `seed`; two rules
    under one seed meet the same deal. Asking twice for one value costs nothing the second time (answers are kept).

    `likeness` is how much a child resembles its parent: a child is drawn with weight exp(likeness × similarity of the
    words), 0 draws any of the pool.
    """

    def __init__(
        self, table: ScoredTable, *, budget: int, train: int, seed: int, likeness: float = 0.0
    ) -> None:
        self.seed = seed
        self.rng = np.random.default_rng([seed, 11])
        self._children = np.random.default_rng([seed, 13])
        order = np.random.default_rng([seed, 7]).permutation(table.search.shape[1])
        self.train: list[int] = order[:train].tolist()
        self.dev: list[int] = order[train:].tolist()
        self.budget, self.calls = budget, 0
        self.seen = np.zeros(table.search.shape, dtype=bool)
        self.start = table.start
        self._table = table
        self._free = np.ones(len(table.search), dtype=bool)
        self._free[table.start] = False
        self.drawn = [table.start]
        self._words = [frozenset(text.lower().split()) for text in table.texts]
        self._likeness = likeness

    @property
    def labels(self) -> tuple[str, ...]:
        """Right answers by row; "" where they are not known."""
        return self._table.labels or ("",) * self._table.search.shape[1]

    def said(self, prompt: int, row: int) -> str | None:
        """What was read. Raises `ValueError` for what was not asked."""
        self.values(prompt, [row])
        return self._table.said[prompt][row] if self._table.said else None

    def text(self, prompt: int) -> str:
        """The words of a prompt."""
        return self._table.texts[prompt]

    @property
    def left(self) -> int:
        """Calls that are left."""
        return self.budget - self.calls

    def ask(self, prompt: int, rows: Rows) -> Floats:
        """Values of `prompt` on `rows`. Raises `Spent` where the budget does not cover all of the new ones, after
        asking for those that it does."""
        new = [row for row in rows if not self.seen[prompt, row]]
        covered = new[: self.left]
        self.seen[prompt, covered] = True
        self.calls += len(covered)
        if len(covered) < len(new):
            raise Spent
        return self.values(prompt, rows)

    def pay(self, calls: int) -> None:
        """Spend `calls` on values that are known: a rule that asks again, as some do. Raises `Spent`."""
        if calls > self.left:
            raise Spent
        self.calls += calls

    def values(self, prompt: int, rows: Rows) -> Floats:
        """Values that were asked for. Raises `ValueError` for one that was not: no rule may peep."""
        wanted = list(rows)
        if not self.seen[prompt, wanted].all():
            raise ValueError("a value that was not asked for")
        found: Floats = self._table.search[prompt, wanted]
        return found

    def known(self, prompt: int) -> tuple[list[int], Floats]:
        """Rows that `prompt` was asked on, and its values there."""
        rows = np.flatnonzero(self.seen[prompt]).tolist()
        return rows, self.values(prompt, rows)

    def mean(self, prompt: int, rows: Rows | None = None) -> float:
        """The mean over `rows` that were asked (None: all rows); -1 without any."""
        allowed, values = self.known(prompt)
        if rows is not None:
            kept = set(rows)
            values = values[[row in kept for row in allowed]]
        return float(values.mean()) if len(values) else -1.0

    def child(self, parent: int) -> int:
        """A prompt of the pool that this search has not met. Raises `Spent` where there is none."""
        free = np.flatnonzero(self._free)
        if not len(free):
            raise Spent
        alike = np.array([_jaccard(self._words[parent], self._words[other]) for other in free])
        weights = np.exp(self._likeness * alike)
        found = int(self._children.choice(free, p=weights / weights.sum()))
        self._free[found] = False
        self.drawn.append(found)
        return found

    def best(self, prompts: Sequence[int], rows: Rows | None = None) -> Found:
        """The greatest mean, the first of equals."""
        found = max(prompts, key=lambda prompt: self.mean(prompt, rows))
        return Found(found, self.mean(found, rows))

    def whole(self, prompts: Sequence[int]) -> list[int]:
        """Those of `prompts` that met all of dev; the start prompt where none did."""
        return [prompt for prompt in prompts if self.seen[prompt, self.dev].all()] or [self.start]


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 1.0
