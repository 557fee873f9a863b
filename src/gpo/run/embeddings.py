"""An embedder that remembers in the journal, so that a replay neither needs it nor depends on it."""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections.abc import Awaitable, Callable, Sequence

from gpo.storage.journal import Journal

EMBEDDER = "embedder"
Embed = Callable[[Sequence[str]], Awaitable[list[list[float]]]]


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
    """The run's embedder, opened at the first need and named in the journal: a resumed run uses the same one."""

    def __init__(self, journal: Journal) -> None:
        self.name: str | None = None
        self._journal = journal
        self._remembered: Embed | None = None

    async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """Unit vectors of `texts`. Raises `ModelError` where no embedder can be opened."""
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
