"""The real embedder, opened once for a whole test session: fetching and loading it is tested elsewhere."""

from __future__ import annotations

import asyncio
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
