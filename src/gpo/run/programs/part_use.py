"""Whether a program uses every prompt that it is given: where changing one never changes what is asked, it does not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

from gpo.evaluation.outcome import Outcome
from gpo.optimizer.search import StepRecord
from gpo.run.journal_writer import prompt_id
from gpo.storage.journal import Journal
from gpo.task.task import Task

Seen = dict[str, bytes]
"""What became of a prompt on the rows of dev, by example: a hash."""


class PartUse:
    """Compares candidates with the prompts that they were made of, over the rows of dev that both were run on. Rows
    that an earlier process ran are read from `journal`."""

    def __init__(self, task: Task, journal: Journal) -> None:
        self._names, self._journal = task.parts, journal
        self._own_work = bool(task.program and task.program.identity)
        self._watches = task.program is not None
        self._seen: dict[str, Seen] = {}
        self._read: set[str] = set()
        self._rows: Counter[str] = Counter()
        self._same: Counter[str] = Counter()
        self._told: set[str] = set()

    def see(self, prompt: str, split: str, outcome: Outcome) -> None:
        """One more outcome."""
        if self._watches and split == "dev" and outcome.failure is None:
            self._seen.setdefault(prompt, {})[outcome.example.id] = self._digest(
                outcome.calls, outcome.prediction
            )

    def step(self, record: StepRecord) -> list[str]:
        """Count the candidates of a step that is over; new lines for a person."""
        if not self._watches:
            return []
        name = record.part or self._names[0]
        for item in record.candidates:
            # Of a step that changes no single part (start prompts, a last duel) nothing follows for one.
            if item.rejected is None and (record.part is not None or len(self._names) == 1):
                before, after = self._find(item.parent), self._find(item.prompt)
                both = before.keys() & after.keys() if item.parent != item.prompt else set()
                self._rows[name] += len(both)
                self._same[name] += sum(before[row] == after[row] for row in both)
        new = [part for part in self._unused() if part not in self._told]
        self._told |= set(new)
        return self._lines(new)

    @property
    def lines(self) -> list[str]:
        """A line for each prompt that made no difference anywhere."""
        return self._lines(self._unused())

    def _unused(self) -> list[str]:
        return [name for name in self._names if self._rows[name] and self._same[name] == self._rows[name]]

    def _lines(self, names: Iterable[str]) -> list[str]:
        return [
            f"changing `{name}` changed no output in {self._same[name]} of {self._rows[name]} rows; does the program "
            f"use prompts[{name!r}]?"
            for name in names
        ]

    def _find(self, prompt: str) -> Seen:
        seen = self._seen.setdefault(prompt, {})
        if prompt not in self._read:
            self._read.add(prompt)
            for score in self._journal.scores(prompt_id(prompt), "dev"):
                if score.value is not None and score.example_id not in seen:
                    seen[score.example_id] = self._digest(score.calls, score.prediction)
        return seen

    def _digest(self, calls: Sequence[str], prediction: Any) -> bytes:
        # What is asked decides what comes of it; what is asked of a program's own work always holds all prompts.
        known = list(calls) if calls and not self._own_work else prediction
        return blake2b(json.dumps(known, default=str).encode(), digest_size=8).digest()
