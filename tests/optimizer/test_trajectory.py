"""Which earlier prompts each trajectory shows, and in what order, with hand-made embeddings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from gpo.optimizer.parts.trajectory import trajectory
from gpo.optimizer.state import Information, Step, Visited

# Angles to the current prompt "e": b 10°, d 40°, a 60°, c 90°.
ANGLES = {"a": 60, "b": 10, "c": 90, "d": 40, "e": 0}
SCORES = {"a": 0.1, "b": 0.5, "c": 0.9, "d": 0.5, "e": 0.3}


class Bench:
    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [
            [math.cos(math.radians(ANGLES[text])), math.sin(math.radians(ANGLES[text]))] for text in texts
        ]


def step(names: str = "abcde") -> Step:
    visited = [Visited(name, SCORES[name], index, Information(name)) for index, name in enumerate(names)]
    bench: Any = Bench()
    return Step(len(names) - 1, 10, visited, bench)


@pytest.mark.parametrize(
    ("name", "k", "shown"),
    [
        ("none", 3, ""),
        ("recency", 3, "cd"),
        ("recency", 1, ""),
        ("relevance", 3, "db"),  # ascending similarity, the current prompt after them
        ("relevance", 4, "adb"),
        ("relevance", 1, ""),
        # Ascending score, of equals the later one counts as better; the current one is counted and stands after them.
        ("importance", 3, "dc"),
        ("importance", 4, "bdc"),
        ("importance", 1, ""),
        ("recency", 9, "abcd"),
        ("relevance", 9, "cadb"),
    ],
)
async def test_shown_prompts_and_their_order(name: str, k: int, shown: str) -> None:
    found = await trajectory(name, k=k).show(step())
    assert "".join(point.prompt for point in found.earlier) == shown
    assert not found.current_first


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("recency", "dc"),  # newest first
        ("importance", "cd"),  # best first
        ("relevance", "bd"),  # most similar first
    ],
)
async def test_the_released_order_is_current_first_and_then_descending(name: str, shown: str) -> None:
    found = await trajectory(name, k=3, descending=True).show(step())
    assert "".join(point.prompt for point in found.earlier) == shown
    assert found.current_first


@pytest.mark.parametrize("name", ["none", "recency", "relevance", "importance"])
async def test_the_first_step_has_no_past(name: str) -> None:
    found = await trajectory(name).show(step("a"))
    assert found.earlier == ()
    assert found.summary is None
