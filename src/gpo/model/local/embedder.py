"""Embeddings by an embedded model: the mean of its last layer over a text's tokens, by the engine that also writes."""

from __future__ import annotations

from gpo.errors import TransientModelError
from gpo.model.local.engine import MICRO_BATCH
from gpo.model.local.model import EmbeddedModel
from gpo.model.model import Reply, Request
from gpo.model.openai.embeddings import fetch_vector


class EmbeddedEmbedder:
    """Answers a request's `prompt` with its vector, packed into the reply's text (see `gpo.model.openai.embeddings`).

    `model` is closed with it."""

    def __init__(self, model: EmbeddedModel) -> None:
        self._model = model

    @property
    def identity(self) -> str:
        """The weights. The same model's completions are other calls."""
        return f"{self._model.identity} embeddings"

    async def complete(self, request: Request) -> Reply:
        """The vector of the first `MICRO_BATCH` tokens of `request.prompt`, as many as BGE reads. Raises
        `PermanentModelError` and `TransientModelError`."""
        try:
            return await fetch_vector(self._model.embed(request.prompt or "", MICRO_BATCH))
        except ValueError:
            raise TransientModelError(f"{self.identity}: the engine's answer holds no vector") from None

    async def aclose(self) -> None:
        """Close the connections; the engine stops with its last user."""
        await self._model.aclose()
