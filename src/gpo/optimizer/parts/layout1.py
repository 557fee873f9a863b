"""What GPO 0.1.0 did otherwise: a run that it began goes on with it, so that no finished call is paid again.

Nothing new belongs here. The texts of that version are in `texts/layout1/` and never change.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from gpo.optimizer.parts import edit_distance as limits
from gpo.optimizer.parts import trajectory as past
from gpo.optimizer.parts.edit_distance import EditDistance
from gpo.optimizer.parts.trajectory import Shown, Trajectory
from gpo.optimizer.state import Step


@dataclass(frozen=True, slots=True)
class FirstWarmup:
    """Linear from 0 words (t/W) over the first ⌈5 %⌉ of the steps, or over `steps`, then `schedule` over the rest."""

    schedule: EditDistance
    initial: int
    steps: int | None

    def limit(self, step: int, total: int) -> int | None:
        """The limit in whole words."""
        warm = min(total, self.steps if self.steps is not None else math.ceil(total * 5 / 100))
        if step < warm:
            return math.floor(self.initial * step / warm)
        return self.schedule.limit(step - warm, total - warm)


def edit_distance(name: str, *, initial: int, final: int, released: bool) -> EditDistance:
    """The option called `name` in a configuration."""
    base, _, suffix = name.partition("+")
    schedule = limits.edit_distance(base, initial=initial, final=final)
    return FirstWarmup(schedule, initial, 5 if released else None) if suffix else schedule


@dataclass(frozen=True, slots=True)
class FirstImportance:
    """The k points with the highest dev score, best last; the current prompt, where it is one of them, is shown in its
    own place."""

    k: int = 3

    async def show(self, step: Step) -> Shown:
        """The k best points without the current one."""
        best = sorted(step.visited, key=lambda point: (point.score, point.step))[-self.k :]
        return Shown(tuple(point for point in best if point is not step.current))


def trajectory(name: str, *, k: int, released: bool) -> Trajectory:
    """A new object of the option called `name` in a configuration. `released` turned the order of relevance alone, and
    a summary was given scores from 0 to 1 whatever the scale of the meta-prompt."""
    options: dict[str, Callable[[], Trajectory]] = {
        "none": past.NoTrajectory,
        "summarization": lambda: past.Summarization(scale=None),
        "recency": lambda: past.Recency(k),
        "relevance": lambda: past.Relevance(k, released),
        "importance": lambda: FirstImportance(k),
    }
    return options[name]()
