"""What every method works with: the task, the scorer, the optimizer model, seeded randomness.

Every random choice draws from a generator seeded by (seed, step, purpose), so that a run is a pure function of
configuration, seed and the models' answers.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from gpo.evaluation.score import Scorer
from gpo.model.model import Message, Model, Reply, Request
from gpo.optimizer.templates import Templates
from gpo.task.example import Example
from gpo.task.task import Task

Embed = Callable[[Sequence[str]], Awaitable[list[list[float]]]]


def call_seed(seed: int, step: int, purpose: str, attempt: int = 0) -> int:
    """The seed (31 bits) of one sampled call in a run with the seed `seed`."""
    digest = hashlib.blake2b(f"{seed}/{step}/{purpose}/{attempt}".encode(), digest_size=4)
    return int.from_bytes(digest.digest(), "big") >> 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """The tools of an optimization. `embed` maps texts to unit vectors; it is called by the relevance trajectory only.

    `temperature` and `max_tokens` are those of candidate sampling (paper: 1.0 and 512).
    """

    task: Task
    scorer: Scorer
    optimizer: Model
    templates: Templates
    embed: Embed
    seed: int = 0
    temperature: float = 1.0
    max_tokens: int = 512

    def rng(self, step: int, purpose: str) -> random.Random:
        """A generator for one choice; the same triple of (seed, step, purpose) gives the same draws anywhere."""
        return random.Random(f"{self.seed}/{step}/{purpose}")

    def call_seed(self, step: int, purpose: str, attempt: int = 0) -> int:
        """The seed (31 bits) that a sampled call carries to the server."""
        return call_seed(self.seed, step, purpose, attempt)

    async def sample(
        self,
        messages: tuple[Message, ...],
        n: int,
        *,
        step: int,
        purpose: str,
        attempt: int = 0,
        temperature: float | None = None,
        max_tokens: int | None = None,
    ) -> tuple[str, ...]:
        """`n` replies of the optimizer model to one chat, at the sampling temperature unless another is given."""
        reply = await self.replies(
            messages,
            n,
            step=step,
            purpose=purpose,
            attempt=attempt,
            temperature=temperature,
            max_tokens=max_tokens,
        )
        return reply.texts

    async def replies(
        self,
        messages: tuple[Message, ...],
        n: int,
        *,
        step: int,
        purpose: str,
        attempt: int = 0,
        temperature: float | None = None,
        max_tokens: int | None = None,
    ) -> Reply:
        """As `sample`, with the reasons for which the replies ended."""
        temperature = self.temperature if temperature is None else temperature
        return await self.optimizer.complete(
            Request(
                messages=messages,
                temperature=temperature,
                max_tokens=max_tokens or self.max_tokens,
                n=n,
                seed=self.call_seed(step, purpose, attempt) if temperature > 0 else None,
                purpose=purpose,
            )
        )

    async def ask(self, text: str, *, step: int, purpose: str, temperature: float = 0.0) -> str:
        """One reply to one user turn; at temperature 0 unless another is given (reflection, summarization)."""
        messages = (Message("user", text),)
        return (await self.sample(messages, 1, step=step, purpose=purpose, temperature=temperature))[
            0
        ].strip()

    def task_examples(self, step: int, n: int) -> list[Example]:
        """`n` examples for the meta-prompt of a step, drawn from the format split, or from train where it is empty."""
        pool = list(self.task.splits.format or self.task.splits.train)
        return self.rng(step, "task-examples").sample(pool, min(n, len(pool)))
