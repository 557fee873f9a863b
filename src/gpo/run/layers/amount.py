"""What calls take of a budget: amounts, and the most tokens that a prompt can have."""

from __future__ import annotations

from dataclasses import dataclass

from gpo.model.model import Request

CALL_OVERHEAD, MESSAGE_OVERHEAD = 96, 12
"""Tokens that a chat template adds, with room to spare: a default system turn once, the marks of each turn."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Calls, tokens (prompt and completion) and dollars."""

    calls: int = 0
    tokens: int = 0
    usd: float = 0.0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.calls + other.calls, self.tokens + other.tokens, self.usd + other.usd)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.calls - other.calls, self.tokens - other.tokens, self.usd - other.usd)


def prompt_bound(request: Request) -> int:
    """Tokens that the prompt of `request` cannot exceed: a byte-pair token covers at least one byte of UTF-8."""
    texts = [message.content for message in request.messages] if request.prompt is None else [request.prompt]
    # Servers put the form of the reply before the prompt, or count it all the same.
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in (*texts, request.response_format))
    return size + CALL_OVERHEAD + MESSAGE_OVERHEAD * len(texts)
