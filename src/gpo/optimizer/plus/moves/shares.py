"""How the candidates of a step are shared out among the moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from gpo.config.plus import PlusConfig

Move = Literal["meta-prompt", "reflection", "edit", "demonstrations"]


def share_out(
    candidates: int, settings: PlusConfig, step: int, *, reflection: bool, demonstrations: bool
) -> Sequence[Move]:
    """The moves of `step` (from 0): half by the paper's meta-prompt, one edit, one move of the demonstrations, and one
    by reflection: with five candidates or more beside the others, else in every second step in place of one of the
    meta-prompt's. What is off, or cannot be, goes to the meta-prompt."""
    others: list[Move] = []
    if settings.edits:
        others.append("edit")
    if demonstrations:
        others.append("demonstrations")
    if reflection and (candidates > 4 or step % 2):
        others.append("reflection")
    words: list[Move] = ["meta-prompt"] * max(1, candidates - len(others))
    return (*words, *others)[:candidates]


def count_replies(candidates: int, settings: PlusConfig, *, demonstrations: bool) -> int:
    """Most replies that a step asks of the optimizer model, to the meta-prompt and by reflection together."""
    replies = candidates - settings.edits - demonstrations
    return max(1, replies) * (2 if settings.signal else 1)
