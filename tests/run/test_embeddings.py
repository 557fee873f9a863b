"""The embedder of a run: opened once, when it is needed, named in the journal, and not needed for what it has seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from gpo.model import embedder
from gpo.run.embeddings import EMBEDDER, LateEmbedder
from gpo.storage.journal import Journal


class Letters:
    """Two numbers a text, of all sixteen digits."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[list[str]] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked.append(list(texts))
        return [[len(text) / 3, ord(text[0]) / 7] for text in texts]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, Letters]]:
    """What was asked for, and what was opened for it; without a name it is the embedder "first"."""
    found: list[tuple[str | None, Letters]] = []

    async def open_embedder(prefer: str | None = None) -> Letters:
        found.append((prefer, Letters(prefer or "first")))
        return found[-1][1]

    monkeypatch.setattr(embedder, "open_embedder", open_embedder)
    return found


async def test_a_run_goes_on_with_the_embedder_that_it_began_with(
    opened: list[tuple[str | None, Letters]], tmp_path: Path
) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        embed = LateEmbedder(journal)
        assert embed.name is None, "nothing is opened before it is needed"
        first = await embed(["one", "three", "one"])
        assert first == [[1.0, 111 / 7], [5 / 3, 116 / 7], [1.0, 111 / 7]]
        assert await embed(["three"]) == [[5 / 3, 116 / 7]]
        assert embed.name == "first"
        assert [prefer for prefer, _ in opened] == [None]
        assert opened[0][1].asked == [["one", "three"]], "each text once"
        assert journal.get_meta(EMBEDDER) == "first"
    with Journal(path) as journal:
        embed = LateEmbedder(journal)
        assert await embed(["three", "one"]) == [first[1], first[0]]
        assert (embed.name, len(opened)) == ("first", 1), "a replay opens nothing"
        assert await embed(["two"]) == [[1.0, 116 / 7]]
        assert [prefer for prefer, _ in opened] == [None, "first"]
        assert opened[1][1].asked == [["two"]]
