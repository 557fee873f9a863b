"""The runs behind one entry of a table: seed by seed, and for an average column by column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from gpo.suites.spec.grid import TableSlot
from gpo.suites.tables.run_outcome import TrialOutcome

Value = Callable[[TrialOutcome], float | None]
"""A number of a run, None where it is unknown."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Table slots in groups that weigh the same in a mean, whatever their number of runs.

    An entry of a column is one group; an entry of an average has a group for each column.
    """

    groups: tuple[tuple[TableSlot, ...], ...]

    @property
    def slots(self) -> list[TableSlot]:
        """All of them."""
        return [slot for group in self.groups for slot in group]

    @property
    def seeds(self) -> list[int]:
        """All seeds, in their order."""
        return list(dict.fromkeys(slot.seed for slot in self.slots))

    @property
    def searching(self) -> Groups:
        """These without the fixed prompts."""
        return Groups(tuple(tuple(p for p in group if not p.evaluates_only) for group in self.groups))

    def complete_seeds(
        self, outcomes: Mapping[str, TrialOutcome], value: Value
    ) -> dict[int, list[list[TrialOutcome]]]:
        """The outcomes by seed and group of the seeds of which every run has a `value`. A seed counts with all its
        tasks or not at all: a mean over other tasks is no mean of this entry."""
        found = {}
        for seed in self.seeds:
            slots = [[slot for slot in group if slot.seed == seed] for group in self.groups]
            have = [
                [outcome for slot in group if (outcome := outcomes.get(slot.run_dir)) is not None]
                for group in slots
            ]
            lengths = [(len(some), len(all_)) for some, all_ in zip(have, slots, strict=True)]
            if all(some == all_ > 0 for some, all_ in lengths) and mean(have, value) is not None:
                found[seed] = have
        return found


def mean(groups: Sequence[Sequence[TrialOutcome]], value: Value) -> float | None:
    """The mean over groups of their means, None where a part of it is unknown."""
    means = [_mean([value(item) for item in group]) for group in groups]
    return _mean(means)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None
