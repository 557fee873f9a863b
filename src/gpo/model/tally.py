"""Counting calls and tokens of one role."""

from __future__ import annotations

from dataclasses import fields

from gpo.model.model import Reply
from gpo.value_class import keyword_value_class


@keyword_value_class
class Tally:
    """What a role used.

    `calls` went to the model, with their `prompt_tokens` (of which `cached_tokens` came from the server's own
    prefix cache) and `completion_tokens` (of which the model thought `reasoning_tokens`). `cached` calls
    were answered by the user's store and cost nothing;
    the `saved_…` tokens are what they cost when they were first made.
    """

    calls: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    saved_prompt_tokens: int = 0
    saved_completion_tokens: int = 0
    reasoning_tokens: int = 0

    def plus(self, reply: Reply) -> Tally:
        """This tally with one more call."""
        usage = reply.usage
        if reply.source == "store":
            return Tally(
                calls=self.calls,
                cached=self.cached + 1,
                prompt_tokens=self.prompt_tokens,
                completion_tokens=self.completion_tokens,
                cached_tokens=self.cached_tokens,
                saved_prompt_tokens=self.saved_prompt_tokens + usage.prompt_tokens,
                saved_completion_tokens=self.saved_completion_tokens + usage.completion_tokens,
                reasoning_tokens=self.reasoning_tokens,
            )
        return Tally(
            calls=self.calls + 1,
            cached=self.cached,
            prompt_tokens=self.prompt_tokens + usage.prompt_tokens,
            completion_tokens=self.completion_tokens + usage.completion_tokens,
            cached_tokens=self.cached_tokens + usage.cached_tokens,
            saved_prompt_tokens=self.saved_prompt_tokens,
            saved_completion_tokens=self.saved_completion_tokens,
            reasoning_tokens=self.reasoning_tokens + usage.reasoning_tokens,
        )

    def asked(self) -> Tally:
        """The same calls as if all had been sent: those of the store with the tokens they cost when they were first
        made. How many of these the server's prefix cache would have held is not known: none."""
        return Tally(
            calls=self.calls + self.cached,
            prompt_tokens=self.prompt_tokens + self.saved_prompt_tokens,
            completion_tokens=self.completion_tokens + self.saved_completion_tokens,
            cached_tokens=self.cached_tokens,
            reasoning_tokens=self.reasoning_tokens,
        )

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            **{item.name: getattr(self, item.name) + getattr(other, item.name) for item in fields(self)}
        )
