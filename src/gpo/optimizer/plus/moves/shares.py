"""How the candidates of a step are shared out among the moves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice
from typing import Literal

from gpo.config.plus import PlusConfig

Move = Literal["meta-prompt", "reflection", "edit", "demonstrations"]


def share_out(
    candidates: int,
    settings: PlusConfig,
    step: int,
    *,
    reflection: bool,
    demonstrations: bool,
    writing: bool = True,
) -> Sequence[Move]:
    """The moves of `step` (from 0): half by the paper's meta-prompt, one edit, one move of the demonstrations, and one
    by reflection: with five candidates or more beside the others, else in every second step in place of one of the
    meta-prompt's. What is off, or cannot be, goes to the meta-prompt. Where its candidates do not win (`writing` is
    False), it has one in every second step, and its other places go to the moves that need no model, in turns."""
    free: list[Move] = []
    if demonstrations:
        free.append("demonstrations")
    if settings.edits:
        free.append("edit")
    others = sorted(free, reverse=True)
    if reflection and (candidates > 4 or step % 2):
        others.append("reflection")
    left = max(1, candidates - len(others))
    written = left if writing or not free else min(left, step % 2)
    turns = islice(cycle(free), left - written) if free else ()
    return (*(["meta-prompt"] * written), *others, *turns)[:candidates]


def count_replies(candidates: int, settings: PlusConfig, *, demonstrations: bool) -> int:
    """Most replies that a step asks of the optimizer model, to the meta-prompt and by reflection together."""
    replies = candidates - settings.edits - demonstrations
    return max(1, replies) * (2 if settings.signal else 1)
