"""Demonstrations of a program: what its prompts were asked and replied in runs that went well.

Nobody labels what stands between the parts of a program, so its start prompts are run on rows of train, and the runs
that the metric accepts are what may be shown (bootstrapping; DSPy, arXiv 2310.03714). These rows are never scored to
compare prompts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from gpo.errors import ConfigError
from gpo.evaluation.score import Scorer
from gpo.optimizer.plus.moves.demonstrations import Shown, draw_balanced, in_part
from gpo.task.demonstrations import Demonstration
from gpo.task.example import Example
from gpo.task.task import Task

WAY_OUT = "begin with prompts that get some rows right, give rows that are labelled, or leave it out"


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """What may be `shown`, each with its part, and how many rows the program was `run` on for that."""

    shown: Shown
    run: int

    @property
    def nothing(self) -> str:
        """Why nothing can be shown; "" where something can."""
        if self.shown:
            return ""
        if not self.run:
            return "the budget leaves no run of the program to find out what can be shown"
        return f"no run of the program on {self.run} rows of train was accepted by its metric, so nothing can be shown"

    def check(self, *, wanted: bool) -> tuple[str, ...]:
        """A line for a person where nothing can be shown. Raises `ConfigError` where that was `wanted` by name."""
        if self.nothing and wanted:
            raise ConfigError(f"method.demonstrations: {self.nothing}; {WAY_OUT}")
        return (f"{self.nothing}; the search went on over words alone",) if self.nothing else ()


async def bootstrap(
    task: Task, scorer: Scorer, prompt: str, rows: Sequence[Example], most: int
) -> Bootstrapped:
    """The demonstrations of `rows` for every part of the program of `task`. It is run with `prompt` on `most` of them,
    unless every row says itself what can be shown of it. Raises what the scorer raises."""
    assert task.program is not None
    demonstrate = task.program.demonstrate
    assert demonstrate is not None
    found = [demonstrate(row.row, None) for row in rows]
    if most < 1 or all(name in one for one in found for name in task.parts):
        return Bootstrapped(_collect(task, found), 0)
    (outcomes,) = await scorer.outcomes([prompt], rows[:most], "train")
    found[:most] = [demonstrate(item.example.row, item.value) for item in outcomes]
    return Bootstrapped(_collect(task, found), len(outcomes))


def first_sets(task: Task, pool: Shown, rng: Random) -> Shown:
    """A first set of each part, from `pool`."""
    sets = (draw_balanced(in_part(pool, part), rng) for part in sorted({item.part for item in pool}))
    return tuple(item for one in sets for item in one)


def _collect(task: Task, found: Sequence[Mapping[str, tuple[str, str]]]) -> Shown:
    several = len(task.parts) > 1
    return tuple(
        Demonstration(*one[name], part=name if several else "")
        for name in task.parts
        for one in found
        if name in one
    )
