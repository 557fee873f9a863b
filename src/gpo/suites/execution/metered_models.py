"""A scorer and an optimizer model that ask a meter first."""

from __future__ import annotations

from collections.abc import Sequence

from gpo.evaluation.outcome import Outcome, Score
from gpo.evaluation.score import Scorer
from gpo.model.layers.layer import ModelLayer
from gpo.model.model import Model, Reply, Request
from gpo.suites.execution.meter import Meter, Pair, count_words
from gpo.task.example import Example


class MeteredScorer(Scorer):
    """`inner`, asked only for what `meter` lets through."""

    def __init__(self, inner: Scorer, meter: Meter) -> None:
        super().__init__(inner.task, inner.model, inner.settings)
        self._inner = inner
        self._meter = meter

    def excluded(self, split: str) -> frozenset[int]:
        """As `inner`."""
        return self._inner.excluded(split)

    def mean(self, score: Score) -> float:
        """As `inner`."""
        return self._inner.mean(score)

    def find_score(self, prompt: str, split: str) -> Score | None:
        """As `inner`."""
        return self._inner.find_score(prompt, split)

    async def score(self, prompts: Sequence[str], split: str = "dev") -> list[Score]:
        """As `inner`. Raises `UsedUp`."""
        examples = self.task.examples(split)
        async with self._meter.scoring(self._pairs(prompts, examples, split), self._calls_a_pair()):
            return await self._inner.score(prompts, split)

    async def score_rows(self, prompts: Sequence[str], split: str, rows: Sequence[int]) -> list[Score]:
        """As `inner`. Raises `UsedUp`."""
        examples = [self.task.examples(split)[row] for row in rows]
        async with self._meter.scoring(self._pairs(prompts, examples, split), self._calls_a_pair()):
            return await self._inner.score_rows(prompts, split, rows)

    async def outcomes(
        self, prompts: Sequence[str], examples: Sequence[Example], split: str
    ) -> list[list[Outcome]]:
        """As `inner`. Raises `UsedUp`."""
        async with self._meter.scoring(self._pairs(prompts, examples, split), self._calls_a_pair()):
            return await self._inner.outcomes(prompts, examples, split)

    def _pairs(self, prompts: Sequence[str], examples: Sequence[Example], split: str) -> dict[Pair, int]:
        counted = self._meter.counts_tokens
        return {
            (prompt, split, example.id): count_words(self.task.opening(prompt, example)) if counted else 0
            for prompt in prompts
            for example in examples
        }

    def _calls_a_pair(self) -> int:
        """Calls of a pair, with a second round where the task has one; a judge's verdict is one more."""
        return 1 + int(self.task.asks_again) + int(self.task.metric.judge is not None)


class MeteredModel(ModelLayer):
    """Wraps the optimizer model `inner`, which is asked only for what `meter` lets through."""

    def __init__(self, inner: Model, meter: Meter) -> None:
        super().__init__(inner)
        self._meter = meter

    async def complete(self, request: Request) -> Reply:
        """As `inner`. Raises `UsedUp`."""
        async with self._meter.writing(request, request.key(self.identity)):
            return await self._model.complete(request)
