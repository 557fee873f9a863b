"""All the completions that were asked for, also from a model that gives fewer at once: no model asks for the rest
itself, each returns what one call brought.

It stands outside of the journal, so that each answer is kept as it comes and a repeated run asks for the missing ones
only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from gpo.model.layers.layer import ModelLayer
from gpo.model.model import Reply, Request, Usage, joined_reasoning


class CompleteNModel(ModelLayer):
    """Wraps `model`: where a call for `n` completions brings fewer, the others are asked for one by one."""

    async def complete(self, request: Request) -> Reply:
        """Answer `request` with `n` completions. Raises what the model raises, once no other part is under way."""
        first = await self._model.complete(request)
        missing = range(len(first.texts), request.n)
        if not missing:
            return first
        # A seed of its own for each: the same seed would bring the same text again. Without a seed the samples are
        # told apart by their number, or the journal would hold one for all of them.
        parts = [
            replace(
                request,
                n=1,
                seed=None if request.seed is None else request.seed + i,
                sample=request.sample if request.seed is not None else request.sample + i,
            )
            for i in missing
        ]
        results = await asyncio.gather(
            *(self._model.complete(part) for part in parts), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return _join([first, *(result for result in results if isinstance(result, Reply))], request.n)


def _join(replies: Sequence[Reply], n: int) -> Reply:
    usages = [reply.usage for reply in replies]
    return replace(
        replies[0],
        texts=tuple(text for reply in replies for text in reply.texts)[:n],
        finish_reasons=tuple(reason for reply in replies for reason in reply.finish_reasons)[:n],
        usage=Usage(
            prompt_tokens=sum(usage.prompt_tokens for usage in usages),
            completion_tokens=sum(usage.completion_tokens for usage in usages),
            cached_tokens=sum(usage.cached_tokens for usage in usages),
            reasoning_tokens=sum(usage.reasoning_tokens for usage in usages),
        ),
        reasoning=joined_reasoning(replies)[:n],
        seconds=sum(reply.seconds for reply in replies),
    )
