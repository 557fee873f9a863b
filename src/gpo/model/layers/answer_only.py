"""A model whose replies hold answers: what it thought is taken off before anybody reads them.

Stands directly around every model, whatever serves it, so that no reader, no second round and no candidate ever sees
thoughts. How they are told from an answer is `gpo.model.reasoning`'s business.
"""

from __future__ import annotations

from gpo.model.layers.layer import ModelLayer
from gpo.model.model import Reply, Request
from gpo.model.reasoning import without_reasoning
from gpo.model.threads import LONG, read_apart


class AnswerOnlyModel(ModelLayer):
    """Wraps `model`: thoughts are moved from a reply's `texts` to its `reasoning`."""

    async def complete(self, request: Request) -> Reply:
        """Answer `request`. Raises what the model raises."""
        reply = await self._model.complete(request)
        if sum(map(len, reply.texts)) > LONG:
            return await read_apart(without_reasoning, reply)
        return without_reasoning(reply)
