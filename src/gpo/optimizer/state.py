"""What the four parts are shown: the prompts visited so far and the step that is being taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gpo.optimizer.workbench import Workbench
from gpo.task.program.parts import part_of


@dataclass(frozen=True, slots=True)
class Information:
    """What the optimizer model is told about one prompt (paper, Analogical Descent Direction).

    `score` is the dev score in 0..1, or None where the direction hides it; `reflection` the text that names what the
    prompt gets wrong; `notes` is free for an own direction. What is None stands in no meta-prompt. `part` names the one
    of several prompts that it is about.
    """

    prompt: str
    score: float | None = None
    reflection: str | None = None
    notes: str | None = None
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Visited:
    """One point of the optimization trajectory: a prompt that was current, its dev score in 0..1 (shown or not), the
    step that began with it, and what was told about it then."""

    prompt: str
    score: float
    step: int
    information: Information

    def informed(self, information: Information) -> Visited:
        """The same point with `information` in place."""
        return replace(self, information=information)


@dataclass(frozen=True, slots=True)
class Step:
    """Step `number` of `total` (from 0), with the trajectory so far, oldest first, the current prompt last. `part`
    names the one of several prompts that it changes; where the trajectory has the texts of that part, `whole` is the
    current prompt with all of them."""

    number: int
    total: int
    visited: Sequence[Visited]
    workbench: Workbench
    part: str | None = None
    whole: str = ""

    @property
    def words(self) -> str:
        """The text that changes: the current prompt, or its part."""
        return part_of(self.current.prompt, self.workbench.task.parts, self.part)

    @property
    def current(self) -> Visited:
        """The prompt that this step starts from."""
        return self.visited[-1]
