"""Scoring prompts: every (prompt, example) pair of a request goes through one queue, no barrier between prompts.

Knows the task and a model. It does not know that the model may be a store, a budget or a rate limit, nor who asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gpo.errors import ModelError, PermanentModelError
from gpo.model.model import Model, Request
from gpo.task.answer import Prediction
from gpo.task.example import Example
from gpo.task.task import Opening, Task

# Pairs that are under way or wait for the model's own limit. More would only hold memory: the limit is what paces.
WINDOW = 1024


class TooManyFailures(PermanentModelError):
    """So many examples could not be scored that a mean over the rest would say little."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one prompt on one example.

    `value` is the metric in 0..1, or None where the model could not answer (`failure` then says why): a failure is
    never a score of 0. `prediction` is what was read from the reply, None where it was unreadable (and scored 0).
    `reply` is the text that was read; `calls` are the journal keys of the rounds.
    """

    example: Example
    value: float | None
    prediction: Prediction = None
    reply: str = ""
    calls: tuple[str, ...] = ()
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A prompt's values on a split, in the order of the split's examples (None: the call failed)."""

    prompt: str
    split: str
    values: tuple[float | None, ...]
    unreadable: int = 0

    def mean(self, excluded: frozenset[int] = frozenset()) -> float:
        """Mean value in 0..1 over the examples whose index is not in `excluded` and whose call did not fail.

        Raises `ModelError` where no example is left.
        """
        kept = [value for i, value in enumerate(self.values) if i not in excluded and value is not None]
        if not kept:
            raise ModelError(f"no example of the {self.split} split could be scored")
        return sum(kept) / len(kept)


@dataclass
class ScorerSettings:
    """How the task model is called: `temperature`, `max_tokens` of the first round and of the second."""

    temperature: float = 0.0
    max_tokens: int = 256
    second_round_tokens: int = 100
    seed: int = 0


OutcomeListener = Callable[[str, str, int, Outcome], None]


@dataclass
class Scorer:
    """Scores prompts on a task's splits with one task model, each (prompt, split) once.

    `on_outcome(prompt, split, index, outcome)` is called as each pair finishes, in the order of completion.
    An example that could not be scored for one prompt is excluded for all of them alike: see `excluded`.
    """

    task: Task
    model: Model
    settings: ScorerSettings = field(default_factory=ScorerSettings)
    on_outcome: OutcomeListener | None = None
    max_failed_share: float = 0.1

    def __post_init__(self) -> None:
        self._scores: dict[tuple[str, str], Score] = {}
        self._failed: dict[str, set[int]] = {}

    def excluded(self, split: str) -> frozenset[int]:
        """Indices of the examples of `split` that could not be scored for some prompt."""
        return frozenset(self._failed.get(split, ()))

    def mean(self, score: Score) -> float:
        """The score's mean over the examples that every prompt could be scored on."""
        return score.mean(self.excluded(score.split))

    def known(self, prompt: str, split: str) -> Score | None:
        """The score of `prompt` on `split` where it was scored before."""
        return self._scores.get((prompt, split))

    async def score(self, prompts: Sequence[str], split: str = "dev") -> list[Score]:
        """Score every prompt on every example of `split`; equal prompts are scored once.

        Raises `ModelError` where the model cannot go on (see `outcomes`).
        """
        examples = self.task.examples(split)
        new = [prompt for prompt in dict.fromkeys(prompts) if (prompt, split) not in self._scores]
        outcomes = await self.outcomes(new, examples, split)
        for prompt, row in zip(new, outcomes, strict=True):
            unreadable = sum(item.failure is None and item.prediction is None for item in row)
            values = tuple(item.value for item in row)
            self._scores[(prompt, split)] = Score(prompt, split, values, unreadable)
        return [self._scores[(prompt, split)] for prompt in prompts]

    async def outcomes(
        self, prompts: Sequence[str], examples: Sequence[Example], split: str
    ) -> list[list[Outcome]]:
        """The outcome of every prompt on every example, shape (prompts, examples).

        Raises `BudgetError` and `ModelError` where no further call would succeed, and `ModelError` where more than
        `max_failed_share` of the examples of a prompt failed; calls under way are cancelled.
        """
        table: list[list[Outcome | None]] = [[None] * len(examples) for _ in prompts]

        async def one(row: int, column: int) -> None:
            outcome = await self._outcome(prompts[row], examples[column])
            table[row][column] = outcome
            if outcome.failure is not None:
                self._note_failure(split, outcome)
            if self.on_outcome:
                self.on_outcome(prompts[row], split, column, outcome)

        # With the prompt behind the question all candidates of an example share the longest prefix, and with the
        # prompt in front all examples of a candidate do: neighbours in the queue should share it.
        if self.task.prompt_leads:
            pairs = ((row, column) for row in range(len(prompts)) for column in range(len(examples)))
        else:
            pairs = ((row, column) for column in range(len(examples)) for row in range(len(prompts)))
        await gather_window((one(row, column) for row, column in pairs), WINDOW)
        return [[item for item in row if item is not None] for row in table]

    def _note_failure(self, split: str, outcome: Outcome) -> None:
        # Counted over the whole split: `outcomes` may be asked for a part of it.
        everything = [example.id for example in self.task.examples(split)]
        size = len(everything)
        failed = self._failed.setdefault(split, set())
        failed.add(everything.index(outcome.example.id))
        if len(failed) > max(1, self.max_failed_share * size):
            raise TooManyFailures(
                f"{len(failed)} of {size} {split} examples could not be scored; the last one: {outcome.failure}"
            )

    async def _outcome(self, prompt: str, example: Example) -> Outcome:
        calls: list[str] = []
        opening = self.task.opening(prompt, example)
        try:
            reply = await self._ask(opening, self.settings.max_tokens, calls)
            closing = self.task.closing(opening, reply)
            if closing is not None:
                reply = await self._ask(closing, self.settings.second_round_tokens, calls)
        except PermanentModelError as error:
            if error.scope == "run":
                raise
            return Outcome(example, None, calls=tuple(calls), failure=str(error))
        judgement = self.task.judge(reply, example)
        return Outcome(example, judgement.value, judgement.prediction, reply, tuple(calls))

    async def _ask(self, text: Opening, max_tokens: int, calls: list[str]) -> str:
        settings = self.settings
        messages, plain = ((), text) if isinstance(text, str) else (text, None)
        reply = await self.model.complete(
            Request(
                messages=messages,
                prompt=plain,
                temperature=settings.temperature,
                max_tokens=max_tokens,
                stop=self.task.stop,
                seed=settings.seed if settings.temperature > 0 else None,
                purpose="score",
            )
        )
        if reply.call:
            calls.append(reply.call)
        return reply.text


async def gather_window(jobs: Iterator[Awaitable[None]], window: int) -> None:
    """Run `jobs` in their order with at most `window` of them alive; the first error cancels the rest and is raised."""
    running: set[asyncio.Future[None]] = set()
    try:
        for job in jobs:
            if len(running) >= window:
                await _settle(running, asyncio.FIRST_COMPLETED)
            running.add(asyncio.ensure_future(job))
        while running:
            await _settle(running, asyncio.FIRST_EXCEPTION)
    finally:
        for future in running:
            future.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _settle(running: set[asyncio.Future[None]], when: str) -> None:
    done, _ = await asyncio.wait(running, return_when=when)
    running -= done
    # Several may fail at once and one error is raised: of the others asyncio would complain when they are forgotten.
    failed = [future for future in done if future.cancelled() or future.exception() is not None]
    for future in failed:
        future.result()
