"""Runs of one configuration that differ in the seed alone: what they come to together."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from gpo.report.comparison.compared import Compared
from gpo.report.comparison.differences import name_setting

_COLOURS, _DASHES = 8, 4
_SEED_AT_THE_END = re.compile(r"[-_./ ]+(seed|s)?[-_./ ]*\d*$")
_SHORTEST_NAME = 3

Curve = list[tuple[float, float]]
"""The best dev score (0..1) from a step on, by step; step 0 is the initial prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All runs of one configuration on the same data. `number` counts from 1 and names it in the pictures."""

    number: int
    name: str
    runs: tuple[Compared, ...]

    @property
    def series(self) -> str:
        """The classes of its line: a colour, and a dash pattern that tells it apart without."""
        place = self.number - 1
        return f"series s{place % _COLOURS} d{(place // _COLOURS) % _DASHES}"

    @property
    def seeds(self) -> dict[int, list[Compared]]:
        """The runs by their seed."""
        found: dict[int, list[Compared]] = {}
        for item in self.runs:
            found.setdefault(item.seed, []).append(item)
        return found

    def by_seed(self, value: Callable[[Compared], float | None]) -> list[float]:
        """One value for each seed that has any among its complete runs; a seed that was run twice counts once, with the
        mean of its runs."""
        found = []
        for same in self.seeds.values():
            over = [item for item in same if item.is_complete]
            known = [number for item in over if (number := value(item)) is not None]
            if known:
                found.append(mean(known))
        return found

    @property
    def best(self) -> Compared:
        """The run with the best dev score, the first of equal ones."""
        return max(self.runs, key=lambda item: -1.0 if item.run.best_dev is None else item.run.best_dev)


def group_runs(runs: Sequence[Compared]) -> list[Group]:
    """The groups in the order of their first runs."""
    found: dict[str, list[Compared]] = {}
    for item in runs:
        found.setdefault(name_setting(item.run.config), []).append(item)
    return [
        Group(number=number, name=_name(items), runs=tuple(items))
        for number, items in enumerate(found.values(), 1)
    ]


def _name(runs: Sequence[Compared]) -> str:
    """What the runs' names have in common, without the seed at the end; the method where that is next to nothing."""
    if len(runs) == 1:
        return runs[0].name
    common = _SEED_AT_THE_END.sub("", _common_start([item.name for item in runs]))
    return common if len(common) >= _SHORTEST_NAME else runs[0].run.method


def _common_start(names: Sequence[str]) -> str:
    low, high = min(names), max(names)  # what the first and the last in order share, all share
    same = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))
    return low[:same]


def mean_and_spread(values: Sequence[float]) -> tuple[float, float] | None:
    """Mean and standard deviation, None for fewer than two values."""
    return (mean(values), stdev(values)) if len(values) > 1 else None


@dataclass(frozen=True, slots=True)
class Curves:
    """Best dev score by step over the seeds of a group: their mean, the lowest and the highest, at the same steps."""

    middle: Curve
    low: Curve
    high: Curve


def curves_of(group: Group) -> Curves:
    """The group's curves. What a seed has found holds until it finds better, also after its last step."""
    lines = [[trace(item) for item in same] for same in group.seeds.values()]
    places = sorted({at for own in lines for line in own for at, _ in line})
    found = Curves([], [], [])
    for at in places:
        known = [[value for line in own if (value := _value_at(line, at)) is not None] for own in lines]
        values = [mean(own) for own in known if own]
        found.middle.append((at, mean(values)))
        found.low.append((at, min(values)))
        found.high.append((at, max(values)))
    return found


def trace(item: Compared) -> Curve:
    """The best dev score of one run by step."""
    start = [] if item.run.initial_dev is None else [(0.0, item.run.initial_dev)]
    return start + [(s.number + 1.0, s.best_score) for s in item.run.steps if s.best_score is not None]


def _value_at(line: Curve, at: float) -> float | None:
    index = bisect_right(line, at, key=lambda point: point[0])
    return line[index - 1][1] if index else None
