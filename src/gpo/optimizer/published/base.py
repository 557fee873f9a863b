"""What the published protocols share beside the skeleton of a search: estimates on a part of dev, and their records.

The answer is the best prompt by full dev score, the initial one included, whatever estimates a protocol works with.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Iterable, Sequence
from typing import TypeVar

from gpo.evaluation.score import WINDOW
from gpo.evaluation.window import gather_window
from gpo.model.model import Message
from gpo.optimizer.candidates import Candidate
from gpo.optimizer.search import StepRecord
from gpo.optimizer.skeleton import StepSearch
from gpo.optimizer.state import Information, Visited
from gpo.task.example import Example

T = TypeVar("T")


class PublishedSearch(StepSearch):
    """A search in steps, as a published protocol takes them.

    Candidates are refused as everywhere, beside a protocol's own filters: an empty reply or one that drops a
    placeholder is no prompt in any protocol.
    """

    @abstractmethod
    async def step(self, number: int, initial: str) -> StepRecord:
        """Step `number` of `total`; `initial` was scored before the first one."""

    async def _step(self, number: int, limit: int | None) -> StepRecord:
        return await self.step(number, self.visited[0].prompt)

    async def values(
        self, prompts: Sequence[str], examples: Sequence[Example], split: str
    ) -> list[list[float | None]]:
        """The values of `prompts` on a part of a split, shape (prompts, examples)."""
        table = await self.bench.scorer.outcomes(prompts, examples, split)
        return [[outcome.value for outcome in row] for row in table]

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
        """The record of a step; `parent` and `chosen` have been scored on the whole of dev. `estimates` has one entry a
        candidate, of protocols that estimate them on a part of dev."""
        score = self.mean(parent)
        return self._record(
            number,
            Visited(parent, score, number, Information(parent, score, reflection)),
            [
                self._scored(item, estimate)
                for item, estimate in zip(candidates, estimates or [None] * len(candidates), strict=True)
            ],
            chosen,
            meta_prompt=meta_prompt,
            estimated=bool(estimates),
        )


def write_turn(text: str) -> tuple[Message, ...]:
    """A chat of one user turn."""
    return (Message("user", text),)


async def run_together(jobs: Iterable[Awaitable[T]]) -> list[T]:
    """The results of `jobs` in their order, run side by side; the first error cancels the rest and is raised."""
    results: dict[int, T] = {}

    async def one(index: int, job: Awaitable[T]) -> None:
        results[index] = await job

    await gather_window((one(index, job) for index, job in enumerate(jobs)), WINDOW)
    return [results[index] for index in sorted(results)]
