"""How far one entry of a table stands from another of its column, over the test rows that both answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gpo.evaluation.statistics import Comparison
from gpo.suites.spec.grid import TableSlot
from gpo.suites.spec.methods import PARTS
from gpo.suites.tables.aggregate import Groups
from gpo.suites.tables.run_outcome import TrialOutcome
from gpo.suites.tables.stratified_bootstrap import compare_strata

_Key = tuple[int | str, ...]
_Stratum = dict[str, list[float]]
"""Differences by question."""


def compare_rows(
    rows: str, ours: Groups, baseline: Groups, outcomes: Mapping[str, TrialOutcome]
) -> Comparison | None:
    """`ours` minus `baseline` in points, where `rows` is the dimension that tells them apart.

    Seeds count that are whole in both; tasks, and columns of an average, weigh as they do in the means. None where
    there is nothing to compare, be it in one task only."""
    both = ours.complete_seeds(outcomes, _test).keys() & baseline.complete_seeds(outcomes, _test).keys()
    strata: list[_Stratum] = []
    weights: list[float] = []
    tasks: list[str] = []
    for new, old in zip(ours.groups, baseline.groups, strict=True):
        found = _strata(rows, _pick_seeds(new, both), _pick_seeds(old, both), outcomes)
        if not found or not all(examples for _, examples in found):
            return None
        tasks += [member for member, _ in found]
        strata += [examples for _, examples in found]
        weights += [1 / len(found) / len(ours.groups)] * len(found)
    return compare_strata(strata, weights, tasks, scale=100.0) if strata else None


def _test(item: TrialOutcome) -> float | None:
    return item.test


def _pick_seeds(group: Sequence[TableSlot], seeds: Sequence[int] | set[int]) -> list[TableSlot]:
    return [slot for slot in group if slot.seed in seeds]


def _strata(
    rows: str, ours: Sequence[TableSlot], baseline: Sequence[TableSlot], outcomes: Mapping[str, TrialOutcome]
) -> list[tuple[str, _Stratum]]:
    """Task by task, and apart for every other label: the differences of its questions, one a seed in which the question
    stood in test; none where one of both has runs that the other has not, as with a model of fewer settings: its mean
    is over other things."""
    before = {_pair(slot, rows): outcomes[slot.run_dir] for slot in baseline}
    if {_pair(slot, rows) for slot in ours} != before.keys():
        return []
    found: dict[_Key, tuple[str, _Stratum]] = {}
    for slot in ours:
        key = _pair(slot, rows)
        _, examples = found.setdefault(key[1:], (slot.member, {}))
        for name, value in _pair_rows(outcomes[slot.run_dir], before[key]):
            examples.setdefault(name, []).append(value)
    return list(found.values())


def _pair_rows(new: TrialOutcome, old: TrialOutcome) -> list[tuple[str, float]]:
    """Question and difference in points of every row that both have."""
    found = []
    for example, value in new.rows.items():
        if example not in old.rows:
            continue
        asked, before = new.examples.get(example), old.examples.get(example)
        # Where rows of a table are settings or models, the same place in test may hold another question.
        if asked is not None and before is not None and asked != before:
            continue
        found.append((asked or example, 100 * (value - old.rows[example])))
    return found


def _pair(slot: TableSlot, rows: str) -> _Key:
    """What two runs of different rows must share for their test rows to be compared: the seed, and every label that the
    row does not decide."""
    decided = {rows} | (set(PARTS) if rows == "method" else {"method"} if rows in PARTS else set())
    return (slot.seed, slot.member, *(label for name, label in slot.labels.items() if name not in decided))
