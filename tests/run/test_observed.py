"""When a person is told that replies were cut."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpo.model.model import Reply
from gpo.run.layers.observed import Observed

from .support import ask


def seen(*ends: str) -> list[str]:
    observed = Observed("optimizer")
    for end in ends:
        reply = Reply(texts=("" if end == "empty" else "So",), finish_reasons=("length" if end else "stop",))
        observed.see(replace(ask("q"), max_tokens=40), reply)
    return observed.cut_lines()


@pytest.mark.parametrize("ends", [(), ("", "", "", "", "cut")])
def test_up_to_a_fifth_is_not_worth_a_line(ends: tuple[str, ...]) -> None:
    assert seen(*ends) == []


def test_more_than_a_fifth_is() -> None:
    assert seen("", "", "", "cut") == ["1 of 4 replies were cut at models.optimizer.max_tokens: 40; raise it"]
    assert seen("cut", "empty", "") == [
        "2 of 3 replies were cut at models.optimizer.max_tokens: 40, 1 of them without any answer; raise it"
    ]
