"""What the published protocols share: full dev scores, the best prompt, reading replies, records of steps.

Knows no protocol. The answer is the best prompt by full dev score, the initial one included, whatever estimates a
protocol works with.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from gpo.evaluation.outcome import Score
from gpo.evaluation.score import WINDOW
from gpo.evaluation.window import gather_window
from gpo.model.model import Message
from gpo.optimizer.candidates import Candidate, Guard, candidate, same_prompt
from gpo.optimizer.search import Listener, Search, StepRecord
from gpo.optimizer.state import Information
from gpo.optimizer.trajectory import Shown
from gpo.optimizer.workbench import Workbench
from gpo.task.example import Example

T = TypeVar("T")


class Original(ABC):
    """A search in `total` steps; a protocol says what a step is.

    Candidates are read and refused as everywhere (`Guard`), beside a protocol's own filters: an empty reply or one that
    drops a placeholder is no prompt in any protocol.
    """

    def __init__(
        self, bench: Workbench, guard: Guard, listener: Listener | None, *, total: int, pairs_a_step: int
    ) -> None:
        self.bench = bench
        self.guard = guard
        self.listener = listener
        self.total = total
        self.pairs_a_step = pairs_a_step
        self.steps: list[StepRecord] = []
        self._scored: dict[str, Score] = {}

    async def run(self, initial: str) -> Search:
        """Optimize from `initial`. Raises what the models raise; `best` is valid from the first score on."""
        await self.score([initial])
        stopped = "all steps done"
        for number in range(self.total):
            if self.mean(self.best) >= 1:
                stopped = "the dev score cannot get better"
                break
            if self.listener:
                self.listener.step_started(number, self.total, None, self.mean(self.best))
            self.steps.append(await self.step(number, initial))
            if self.listener:
                self.listener.step_finished(self.steps[-1])
        return Search(initial, self.best, tuple(self.steps), stopped)

    @abstractmethod
    async def step(self, number: int, initial: str) -> StepRecord:
        """Step `number` of `total`; `initial` was scored before the first one."""

    @property
    def best(self) -> str:
        """The best prompt by full dev score so far; among equals the one that was scored first."""
        return max(self._scored.values(), key=self.bench.scorer.mean).prompt

    def mean(self, prompt: str) -> float:
        """Full dev score in 0..1 of a prompt that was scored."""
        return self.bench.scorer.mean(self._scored[same_prompt(prompt)])

    async def score(self, prompts: Sequence[str]) -> None:
        """Score `prompts` on the whole of dev."""
        for prompt, score in zip(prompts, await self.bench.scorer.score(prompts, "dev"), strict=True):
            self._scored.setdefault(same_prompt(prompt), score)

    async def values(
        self, prompts: Sequence[str], examples: Sequence[Example], split: str
    ) -> list[list[float | None]]:
        """The values of `prompts` on a part of a split, shape (prompts, examples)."""
        table = await self.bench.scorer.outcomes(prompts, examples, split)
        return [[outcome.value for outcome in row] for row in table]

    def judge(self, raw: str, parent: str, seen: set[str], *, attempt: int = 0) -> Candidate:
        """Read one reply; a prompt whose words are in `seen` is rejected, and the words of the others are added."""
        item = candidate(raw, parent, self.guard, attempt=attempt)
        if item.rejected is not None:
            return item
        words = same_prompt(item.prompt)
        if words in seen:
            return replace(item, rejected="is the same as an earlier prompt")
        seen.add(words)
        return item

    def record(
        self,
        number: int,
        parent: str,
        candidates: Sequence[Candidate],
        chosen: str,
        *,
        reflection: str | None = None,
        meta_prompt: tuple[Message, ...] = (),
        estimates: Sequence[float | None] = (),
    ) -> StepRecord:
        """The record of a step; `parent` and `chosen` have been scored on the whole of dev."""
        best = self.best
        return StepRecord(
            step=number,
            total=self.total,
            limit=None,
            parent=parent,
            parent_score=self.mean(parent),
            information=Information(parent, self.mean(parent), reflection),
            shown=Shown(),
            meta_prompt=meta_prompt,
            candidates=tuple(candidates),
            scores=tuple(self._known(item) for item in candidates),
            chosen=chosen,
            chosen_score=self.mean(chosen),
            best=best,
            best_score=self.mean(best),
            estimates=tuple(estimates),
        )

    def _known(self, item: Candidate) -> float | None:
        scored = item.rejected is None and same_prompt(item.prompt) in self._scored
        return self.mean(item.prompt) if scored else None


def user(text: str) -> tuple[Message, ...]:
    """A chat of one user turn."""
    return (Message("user", text),)


async def together(jobs: Iterable[Awaitable[T]]) -> list[T]:
    """The results of `jobs` in their order, run side by side; the first error cancels the rest and is raised."""
    results: dict[int, T] = {}

    async def one(index: int, job: Awaitable[T]) -> None:
        results[index] = await job

    await gather_window((one(index, job) for index, job in enumerate(jobs)), WINDOW)
    return [results[index] for index in sorted(results)]
