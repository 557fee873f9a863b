"""Which prompt of several a step changes (block-coordinate descent): in turn, or the one that promises most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

Coordinate = Literal["turn", "promise"]


class ChangedPart(Protocol):
    """What a step says of the part that it changed."""

    @property
    def part(self) -> str | None:
        """None: it changed no single part."""

    @property
    def gain(self) -> float:
        """How much better its best candidate was than the prompt that it began with, in points of dev (0 to 1)."""


def choose_part(names: Sequence[str], rule: Coordinate, steps: Sequence[ChangedPart]) -> str | None:
    """The part of `names` that the next step changes, after `steps`; None where there are not several."""
    if len(names) < 2:
        return None
    taken = [step for step in steps if step.part is not None]
    if rule == "turn" or len(taken) < len(names):
        return names[len(taken) % len(names)]
    last = {step.part: number for number, step in enumerate(taken)}
    overdue = [name for name in names if len(taken) - last[name] > 2 * len(names)]
    if overdue:
        return min(overdue, key=lambda name: last[name])
    # Of equal gains the one that was changed longest ago.
    return max(names, key=lambda name: (taken[last[name]].gain, -last[name]))
