"""The base of what wraps a model: a layer is a `Model` around a `Model`, and says of itself what the inner one says."""

from __future__ import annotations

from gpo.model.model import Model, Reply, Request


class ModelLayer:
    """Wraps `model`. A layer overrides `complete`, which here passes on."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.identity = model.identity
        """The wrapped model's. Kept, since a run asks for it once a call."""

    async def complete(self, request: Request) -> Reply:
        """Answer `request`. Raises what the wrapped model raises."""
        return await self._model.complete(request)

    async def aclose(self) -> None:
        """Close the wrapped model."""
        await self._model.aclose()
