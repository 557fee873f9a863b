"""gpo+ itself on a `Replay`: its own search, posterior, plan and duel; only its candidates come from the pool.

Library, edits and demonstrations are not replayed: the pool stands for all proposals.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, cast

from benchmarks.proof.table import Found, Replay, Spent
from gpo.config.plus import PlusConfig
from gpo.config.schema import OptimizeConfig
from gpo.evaluation.outcome import Outcome
from gpo.evaluation.rounds import ScorerSettings
from gpo.evaluation.score import Scorer
from gpo.optimizer.candidates import Candidate, Guard
from gpo.optimizer.parts.trajectory import Shown
from gpo.optimizer.plus.material import SearchMaterial
from gpo.optimizer.plus.moves.propose import Draft, Parent, Proposed
from gpo.optimizer.plus.moves.trial import MoveTrial
from gpo.optimizer.plus.search import PlusSearch
from gpo.optimizer.plus.table import Entry
from gpo.optimizer.state import Step
from gpo.optimizer.templates import Templates
from gpo.optimizer.workbench import Workbench
from gpo.task.example import Example, Splits
from gpo.task.task import Task

if TYPE_CHECKING:
    from gpo.model.model import Model

POOL_ONLY = PlusConfig(library=False, demonstrations=False, edits=False, reflection=False)


def plus(replay: Replay, settings: PlusConfig = POOL_ONLY) -> Found:
    """A whole search with `settings`, of which library, demonstrations, edits and reflection are off."""
    bench = Workbench(
        task=_deal(replay),
        scorer=TableScorer(replay),
        optimizer=cast("Model", None),  # nobody asks it: `PoolProposer` proposes
        templates=Templates(),
        embed=_embed,
        seed=replay.seed,
    )
    start = name_of(replay, replay.start)
    search = PlusSearch(
        settings, replay.budget, bench, Guard(initial=start), OptimizeConfig(), "percent", None
    )
    search.proposer = PoolProposer(replay)
    found = asyncio.run(search.run(start))
    return Found(number_of(found.best), search.mean(found.best))


def name_of(replay: Replay, prompt: int) -> str:
    """A prompt as a text of its own, as long as its words."""
    return f"{prompt} {replay.text(prompt)}"


def number_of(text: str) -> int:
    """The inverse."""
    return int(text.split(" ", 1)[0])


class TableScorer(Scorer):
    """Scores from the table, and pays for it."""

    def __init__(self, replay: Replay) -> None:
        self.settings = ScorerSettings()
        self._replay = replay

    async def outcomes(
        self, prompts: Sequence[str], examples: Sequence[Example], split: str
    ) -> list[list[Outcome]]:
        """Raises `Spent` where a search asks for more than it has."""
        return [self._of(number_of(prompt), examples) for prompt in prompts]

    def _of(self, prompt: int, examples: Sequence[Example]) -> list[Outcome]:
        rows = [int(example.id) for example in examples]
        values = self._replay.ask(prompt, rows)
        return [
            Outcome(example, float(value), self._replay.said(prompt, row))
            for example, row, value in zip(examples, rows, values, strict=True)
        ]


class PoolProposer:
    """Draws every candidate from the pool, as a child of the current prompt."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self.material = SearchMaterial()
        self.trials: Mapping[str, MoveTrial] = {}
        self.warnings: list[str] = []
        self.unusable = self.replies = 0

    def know(self, entry: Entry) -> None:
        """The replay knows itself what it drew."""

    async def propose(self, step: Step, parent: Parent, limit: int | None, count: int) -> Proposed:
        """`count` children, fewer at the end of the pool."""
        return Proposed(tuple(self._draft(parent, step.number) for _ in range(count)), Shown(), ())

    def _draft(self, parent: Parent, step: int) -> Draft:
        try:
            words = name_of(self._replay, self._replay.child(number_of(parent.entry.words)))
        except Spent:
            return Draft(Candidate("", "", parent.entry.words, 0, rejected="the pool is empty"))
        entry = Entry(words, parent=parent.number, move="meta-prompt", step=step)
        return Draft(Candidate(words, words, parent.entry.words, 0, move="meta-prompt"), entry)


def _deal(replay: Replay) -> Task:
    """The task whose rows are those of the table, dealt as the replay deals them."""
    task = _task(replay.labels)
    rows = task.splits.dev
    dealt = [tuple(rows[row] for row in part) for part in (replay.train, replay.dev)]
    return replace(task, splits=Splits(train=dealt[0], dev=dealt[1], test=()))


@cache
def _task(labels: tuple[str, ...]) -> Task:
    made = Task.from_rows([{"input": f"Row {n}", "target": "-"} for n in range(9)], answer={"kind": "text"})
    rows = tuple(Example(str(row), f"Row {row}", label) for row, label in enumerate(labels))
    return replace(made, splits=Splits(train=(), dev=rows, test=()))


async def _embed(texts: Sequence[str]) -> list[list[float]]:
    raise AssertionError(f"nothing of the {len(texts)} texts is shown")
