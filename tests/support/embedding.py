"""The real embedder, opened once for a whole test session, and one that has nothing to load."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache

import pytest

from gpo.model import embedder
from gpo.model.embedder import Embedder

_open = embedder.open_embedder


@cache
def _real() -> Embedder:
    return asyncio.run(_open())


def use_one_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run of the test gets the same embedder object."""
    real = _real()

    async def opened(prefer: str | None = None) -> Embedder:
        assert prefer in (None, real.name)
        return real

    monkeypatch.setattr(embedder, "open_embedder", opened)


class Lengths:
    """An embedder that is there at once: equal vectors for texts of equal length."""

    name = "lengths"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector for each text."""
        return [[1.0 / (1 + len(text)), 1.0] for text in texts]


async def open_lengths(prefer: str | None = None) -> Lengths:
    """In place of `gpo.model.embedder.open_embedder`."""
    return Lengths()
