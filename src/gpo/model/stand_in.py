"""Models that take a real one's place where no call is to be made: they have its name and its price, need no key and no
weights, and remember what they were asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gpo.config.models import ModelConfig
from gpo.model.factory import OpenModel
from gpo.model.layers.endpoint_limiter import EndpointLimiter, RoleQueue
from gpo.model.model import Reply, Request
from gpo.model.prices import cost, price

REPLY = "(a reply)"
"""What stands for every reply but a judge's."""


@dataclass
class StandIn:
    """Answers nothing but `reply`. `seen` is told every request first, and may raise to end what is going on."""

    name: str
    seen: Callable[[Request], None] = field(default=lambda _: None)
    reply: str = REPLY

    @property
    def identity(self) -> str:
        """The model's name as it is written."""
        return self.name

    async def complete(self, request: Request) -> Reply:
        """As many stand-ins of a reply as were asked for."""
        self.seen(request)
        return Reply(texts=(self.reply,) * request.n, finish_reasons=("stop",) * request.n)

    async def aclose(self) -> None:
        """Nothing is open."""


def stand_in(
    config: ModelConfig, seen: Callable[[Request], None] = lambda _: None, reply: str = REPLY
) -> OpenModel:
    """In place of the model of `config`, with its price."""
    known = price(config)
    return OpenModel(
        client=StandIn(config.model, seen, reply),
        queue=RoleQueue(EndpointLimiter(1), 1),
        retry=None,
        cost=lambda used: cost(used, known),
        shareable=False,
    )
