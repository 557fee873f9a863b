"""What a model is to the rest of GPO: something that completes a request.

A retry, a limit, a store or a budget is a `Model` that wraps a `Model`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from gpo.compact_json import compact_encoder
from gpo.value_class import keyword_value_class

Role = Literal["system", "user", "assistant"]


_compact = compact_encoder(ensure_ascii=True)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: Role
    content: str


@keyword_value_class
class Request:
    """One call: a chat (`messages`) or, for a base model, a text to continue (`prompt`).

    `n` completions are asked for at once. `sample` tells repeated measurements of the same request apart; it is
    part of the call's identity and never sent. `purpose` ("score", "candidates", "reflection", …) is for people
    who read the journal; it is neither sent nor part of the identity. Nor is `prefix_group`: calls of one group
    begin with the same long text, so an engine answers them faster one after another; `continues` marks one that
    goes on where the group's last call ended.
    """

    messages: tuple[Message, ...] = ()
    prompt: str | None = None
    temperature: float = 0.0
    max_tokens: int = 256
    n: int = 1
    seed: int | None = None
    stop: tuple[str, ...] = ()
    sample: int = 0
    purpose: str = ""
    prefix_group: str = ""
    response_format: str = ""
    """JSON of the form that the reply is to be held to; "": any."""
    continues: bool = False

    def key(self, identity: str) -> str:
        """The call's identity (32 hex digits): a hash of the model's `identity` and everything that is sent.

        A request at temperature > 0 carries a seed derived from the run's seed, so sampled calls of two runs
        never share a key.
        """
        body: list[object] = [
            identity,
            [[message.role, message.content] for message in self.messages],
            self.prompt,
            float(self.temperature),
            self.max_tokens,
            self.n,
            self.seed,
            list(self.stop),
            self.sample,
        ]
        if self.response_format:
            body.append(self.response_format)
        text = _compact(body)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@keyword_value_class
class Usage:
    """Tokens of one call, as the server counted them. `cached_tokens` is the part of `prompt_tokens` that the
    server took from its own prefix cache, `reasoning_tokens` the part of `completion_tokens` that the model thought."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0


@keyword_value_class
class Reply:
    """The answer to a `Request`: `texts` and `finish_reasons` have one entry a completion (`n` of them).

    `reasoning` is what the model thought before each text, empty where it says nothing of that; it is never sent again.
    Finish reasons are in `gpo.model.finish`'s words. `left_out` names the parameters of the request that the endpoint
    does not take: the answer was made without them.
    `seconds` is the wall time of the call as the client saw it. `call` is the key under which the journal holds
    the call, or None where no journal is in between. `source` says where the answer came from: "sent" to the
    model by this run (now or before an interruption), or the user's "store" of deterministic calls.
    """

    texts: tuple[str, ...]
    finish_reasons: tuple[str, ...] = ()
    usage: Usage = Usage()
    seconds: float = 0.0
    call: str | None = None
    source: Literal["sent", "store"] = "sent"
    reasoning: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The first completion."""
        return self.texts[0]

    @property
    def cut(self) -> tuple[bool, ...]:
        """Whether each completion ended at a limit of its length."""
        reasons = self.finish_reasons or ("",) * len(self.texts)
        return tuple(reason == "length" for reason in reasons)


def joined_reasoning(replies: Sequence[Reply]) -> tuple[str, ...]:
    """The reasoning of several replies as that of one, one entry a text; empty where there is none."""
    told = tuple(part for reply in replies for part in reply.reasoning or ("",) * len(reply.texts))
    return told if any(told) else ()


class Model(Protocol):
    """Anything that completes requests. Safe to call concurrently from one event loop."""

    @property
    def identity(self) -> str:
        """Endpoint and model name, without secrets, ports or other accidents: the first part of a call's key."""

    async def complete(self, request: Request) -> Reply:
        """Answer `request`. Raises `TransientModelError`, `PermanentModelError` or `BudgetError`."""

    async def aclose(self) -> None:
        """Release connections and processes. May be called more than once."""
