"""An embedder that remembers in the journal, so that a replay neither needs it nor depends on it."""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections.abc import Awaitable, Callable, Sequence

from gpo.errors import ConfigError, PermanentModelError
from gpo.extras import require
from gpo.model.model import Model
from gpo.optimizer.methods import Method
from gpo.optimizer.parts.trajectory import Relevance
from gpo.storage.journal import Journal

EMBEDDER = "embedder"
Embed = Callable[[Sequence[str]], Awaitable[list[list[float]]]]


def check_embedder(method: object, model: object | None) -> None:
    """Raise the `ConfigError` that names the ways out where `method` compares prompts by their embeddings, no `model`
    embeds, and the extra is not installed."""
    if model is None and isinstance(method, Method) and isinstance(method.trajectory, Relevance):
        try:
            require(
                "fastembed", "embed", "method: the relevance trajectory compares prompts by embeddings and"
            )
        except ConfigError as error:
            raise ConfigError(
                f"{error}; or name models.embedder, which is asked at its endpoint; or choose another trajectory "
                "(method: {trajectory: recency})"
            ) from None


def remember_embeddings(embed: Embed, name: str, journal: Journal) -> Embed:
    """`embed` with its vectors kept in `journal` under the embedder's `name`, exactly as they were.

    Each distinct text is embedded once; a vector that is returned is in the journal.
    """

    async def lookup(texts: Sequence[str]) -> list[list[float]]:
        vectors: dict[str, list[float]] = {}
        missing: list[str] = []
        for text in dict.fromkeys(texts):
            found = journal.get_embedding(name, _hash(text))
            if found is None:
                missing.append(text)
            else:
                vectors[text] = _unpack(found)
        if missing:
            for text, vector in zip(missing, await embed(missing), strict=True):
                vectors[text] = [float(value) for value in vector]
                journal.put_embedding(name, _hash(text), _pack(vectors[text]))
            await journal.flush()
        return [vectors[text] for text in texts]

    return lookup


class LateEmbedder:
    """The run's embedder, opened at the first need and named in the journal: a resumed run uses the same one.

    `model` is that of the role "embedder", with its layers; None: an embedder in this process."""

    def __init__(self, journal: Journal, model: Model | None = None) -> None:
        self.name: str | None = None
        self._journal = journal
        self._model = model
        self._remembered: Embed | None = None

    async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """Unit vectors of `texts`. Raises `ModelError` where no embedder can be opened, and what a model raises."""
        if self._model is not None:
            return await self._ask(self._model, texts)
        if self._remembered is None:
            from gpo.model.embedder import open_embedder

            named = self._journal.get_meta(EMBEDDER)
            recorded = named if isinstance(named, str) else None
            opened = None if recorded else await open_embedder(None)
            self.name = recorded or (opened.name if opened else "")
            self._journal.put_meta(EMBEDDER, self.name)

            async def embed(missing: Sequence[str]) -> list[list[float]]:
                nonlocal opened
                # A replay that finds every vector in the journal never gets here and loads nothing.
                opened = opened or await open_embedder(recorded)
                return await opened.embed(missing)

            self._remembered = remember_embeddings(embed, self.name, self._journal)
        return await self._remembered(texts)

    async def _ask(self, model: Model, texts: Sequence[str]) -> list[list[float]]:
        # Its calls are in the journal like those of other models, so that they are counted when a run goes on.
        from gpo.model.openai.embeddings import embed_with

        self.name = model.identity
        self._journal.put_meta(EMBEDDER, self.name)
        # One by one: a step brings one new text, all others are in the journal.
        vectors = {text: await embed_with(model, text) for text in dict.fromkeys(texts)}
        sizes = sorted({len(vector) for vector in vectors.values()})
        if len(sizes) > 1:
            raise PermanentModelError(
                f"models.embedder: {model.identity} gives vectors of {sizes[0]} and of {sizes[-1]} numbers, which "
                "cannot be compared; name another embedder and begin in another run directory"
            )
        return [vectors[text] for text in texts]


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _pack(vector: Sequence[float]) -> bytes:
    values = array("d", vector)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def _unpack(blob: bytes) -> list[float]:
    values = array("d")
    values.frombytes(blob)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tolist()
