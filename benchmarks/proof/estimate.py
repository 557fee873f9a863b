"""What a program of the proof is going to take, said before it starts: calls, tokens, minutes. Rough on purpose.

A token is taken for four characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.proof.endpoint import Endpoint
from benchmarks.proof.fixed import FixedPrompt
from benchmarks.results import say
from gpo.task.example import Example

CHARACTERS = 4
FRAME = 20
"""Tokens of a chat template."""
SHORT = 8
"""Tokens of a reply that only answers."""
SPEED = {"qwen2.5-coder-1.5b": 60.0, "qwen2.5-coder-0.5b": 110.0, "smollm2-135m": 300.0}
"""Tokens a second, read and written together, on one core."""


@dataclass(frozen=True, slots=True)
class Work:
    """Calls and the tokens that they read and write."""

    calls: int = 0
    tokens: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.calls + other.calls, self.tokens + other.tokens)


def scoring(prompt: FixedPrompt, rows: Sequence[Example], max_tokens: int) -> Work:
    """`prompt` on `rows`. One that asks to think fills its reply."""
    shown = sum(len(demo.input) + len(str(demo.target)) for demo in prompt.demos) + len(prompt.text)
    read = sum((len(row.input) + shown) // CHARACTERS + FRAME for row in rows)
    written = max_tokens if "hink" in prompt.text or not prompt.text else min(SHORT, max_tokens)
    return Work(len(rows), read + written * len(rows))


def writing(prompts: int, tokens: int) -> Work:
    """`prompts` new prompts by the optimizer model, its meta-prompt read once for each."""
    return Work(prompts, prompts * (500 + tokens // 4))


def announce(work: Iterable[Work], endpoint: Endpoint, threads: int | None) -> None:
    """Say what is to come."""
    whole = sum(work, Work())
    speed = SPEED.get(endpoint.model.removeprefix("local/")) if endpoint.base_url is None else None
    minutes = ""
    if speed is not None:
        at = speed * max(1, threads or 1)
        minutes = f", {whole.tokens / at / 60:,.0f} minutes at {at:.0f} tokens a second"
    say(f"to do: about {whole.calls:,} calls, {whole.tokens:,} tokens{minutes}")
