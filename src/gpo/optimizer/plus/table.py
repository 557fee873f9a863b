"""The pool of prompts and the sparse table of their scores: what was asked, and how much of the budget is left.

Every call of the task model that gpo+ makes is asked for here, through the scorer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpo.evaluation.outcome import Outcome
from gpo.evaluation.score import Scorer
from gpo.optimizer.candidates import normalise_prompt
from gpo.optimizer.published.base import run_together
from gpo.task.demonstrations import Demonstration, join_prompt
from gpo.task.example import Example
from gpo.task.task import Task

if TYPE_CHECKING:
    from gpo.evaluation.posterior import Array


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A row of the table: `label` is its right answer."""

    split: str
    example: Example
    label: str


def list_table_rows(task: Task, fresh: Sequence[Example]) -> list[ScoreRow]:
    """The rows of dev, then those of train that are left for the duel."""
    splits = (("dev", task.splits.dev), ("train", fresh))
    return [ScoreRow(split, example, task.target_text(example)) for split, part in splits for example in part]


@dataclass(frozen=True, slots=True)
class Entry:
    """A prompt of the pool: words and demonstrations, from which entry it was made (None: a start prompt), by which
    `move`, and at which step."""

    words: str
    demonstrations: tuple[Demonstration, ...] = ()
    parent: int | None = None
    move: str = "start"
    step: int = 0

    @property
    def prompt(self) -> str:
        """Both as one text."""
        return join_prompt(self.words, self.demonstrations)

    @property
    def length(self) -> int:
        """In words, demonstrations included."""
        return len(self.prompt.split())


class ScoreTable:
    """`entries` on `rows`; at most `pairs` (prompt, row) pairs are ever asked."""

    def __init__(self, scorer: Scorer, rows: Sequence[ScoreRow], pairs: int) -> None:
        self.rows = tuple(rows)
        self.entries: list[Entry] = []
        self.left = pairs
        self._scorer = scorer
        self._outcomes: list[dict[int, Outcome]] = []
        self._numbers: dict[str, int] = {}

    def add(self, entry: Entry) -> int:
        """The number of `entry`; one of the same text is the same one."""
        key = normalise_prompt(entry.prompt)
        if key not in self._numbers:
            self._numbers[key] = len(self.entries)
            self.entries.append(entry)
            self._outcomes.append({})
        return self._numbers[key]

    def find(self, prompt: str) -> int | None:
        """The number of a prompt, None where it is not in the pool."""
        return self._numbers.get(normalise_prompt(prompt))

    def outcomes(self, entry: int) -> Mapping[int, Outcome]:
        """What became of a prompt, by row."""
        return self._outcomes[entry]

    @property
    def asked(self) -> int:
        """Pairs that were asked so far."""
        return sum(map(len, self._outcomes))

    def met(self, entry: int) -> int:
        """Rows that a prompt was scored on; failed calls are none."""
        return sum(outcome.value is not None for outcome in self._outcomes[entry].values())

    async def ask(self, entries: Sequence[int], rows: Sequence[int]) -> None:
        """Ask what is not known of `entries` on `rows`; where the budget ends before, fewer rows of each."""
        await self.ask_each(dict.fromkeys(entries, rows))

    async def ask_each(self, asked: Mapping[int, Sequence[int]]) -> None:
        """The same with rows of its own for each entry. Raises what the scorer raises."""
        groups: dict[tuple[int, ...], list[int]] = {}
        wanted = {entry: self._new(entry, rows) for entry, rows in asked.items()}
        while (cost := sum(map(len, wanted.values()))) > self.left:
            longest = max(wanted, key=lambda entry: len(wanted[entry]))
            wanted[longest] = wanted[longest][:-1]
        self.left -= cost
        for entry, rows in wanted.items():
            if rows:
                groups.setdefault(rows, []).append(entry)
        await run_together(self._ask_group(entries, rows) for rows, entries in groups.items())

    def scores(self) -> Array:
        """Values in 0..1, shape (entries, rows), NaN where nothing is known."""
        import numpy as np

        found = np.full((len(self.entries), len(self.rows)), np.nan)
        for entry, outcomes in enumerate(self._outcomes):
            for row, outcome in outcomes.items():
                if outcome.value is not None:
                    found[entry, row] = outcome.value
        return found

    def _new(self, entry: int, rows: Sequence[int]) -> tuple[int, ...]:
        return tuple(row for row in dict.fromkeys(rows) if row not in self._outcomes[entry])

    async def _ask_group(self, entries: Sequence[int], rows: Sequence[int]) -> None:
        """Rows of one split go to the scorer together, whole prompts at a time."""
        by_split: dict[str, list[int]] = {}
        for row in rows:
            by_split.setdefault(self.rows[row].split, []).append(row)
        prompts = [self.entries[entry].prompt for entry in entries]
        for split, part in by_split.items():
            found = await self._scorer.outcomes(prompts, [self.rows[row].example for row in part], split)
            for entry, outcomes in zip(entries, found, strict=True):
                self._outcomes[entry].update(zip(part, outcomes, strict=True))
