"""From runs to the numbers of a table: mean ± std over seeds, intervals against the best baseline, price, curves.

Scores are in points, 0 to 100, as the paper has them. What is missing stays missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, stdev

from gpo.evaluation.statistics import Comparison
from gpo.suites.spec.checks import AVERAGE
from gpo.suites.spec.grid import TableSlot
from gpo.suites.spec.suite import SuiteConfig, TableSection
from gpo.suites.tables.aggregate import Groups, Value, mean
from gpo.suites.tables.difference import compare_rows
from gpo.suites.tables.run_outcome import TrialOutcome

Column = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEntry:
    """One cell of the table, in points. `mean` is over the `seeds` (of `wanted`) whose runs are all finished, None
    where there is none; `std` is the sample standard deviation, None under two seeds. `difference` is this row minus
    the column's best baseline with its 95 % interval and p-value, over the seeds that both have. `gain` is the
    improvement over the start prompt, `efficiency` that a million tokens of the search. `failed` runs of this cell
    failed."""

    mean: float | None = None
    std: float | None = None
    seeds: int = 0
    wanted: int = 0
    difference: Comparison | None = None
    gain: float | None = None
    efficiency: float | None = None
    calls: float | None = None
    tokens: float | None = None
    usd: float | None = None
    """Dollars of a search, both models."""
    per_dollar: float | None = None
    """`gain` for each dollar of the search, both models; None where a price is unknown or nothing is paid."""
    per_optimizer_dollar: float | None = None
    """The same for the optimizer model's dollars alone."""
    failed: int = 0
    stopped: int = 0
    """Runs that a hard budget ended."""
    stepless: int = 0
    """Searches that ended before their first step: what they answer is the start prompt."""
    curve: tuple[float, ...] = ()
    """Best dev score before the first step and after each, over seeds and tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`entries` by (row, column); `baselines` names the best baseline of each column."""

    title: str
    row_title: str
    column_titles: tuple[str, ...]
    rows: tuple[str, ...]
    columns: tuple[Column, ...]
    metric: str
    ours: str
    entries: Mapping[tuple[str, Column], TableEntry] = field(hash=False)
    baselines: Mapping[Column, str] = field(default_factory=dict, hash=False)
    notes: tuple[str, ...] = ()
    """What is to be known about what stands in no mean."""

    def entry(self, row: str, column: Column) -> TableEntry:
        """What stands there; an empty entry where the suite has no such run."""
        return self.entries.get((row, column), TableEntry())


def build_table(
    suite: SuiteConfig,
    slots: Sequence[TableSlot],
    outcomes: Mapping[str, TrialOutcome],
    failed: Mapping[str, str] | None = None,
) -> Table:
    """The table of `suite` from what is finished."""
    section = suite.table
    trials: dict[tuple[str, Column], list[TableSlot]] = {}
    for slot in slots:
        key = (slot.labels[section.rows], tuple(slot.labels[name] for name in section.columns))
        trials.setdefault(key, []).append(slot)
    rows = tuple(dict.fromkeys(row for row, _ in trials))
    columns = _order_columns(suite, list(dict.fromkeys(column for _, column in trials)))
    groups = {key: Groups((tuple(found),)) for key, found in trials.items()}
    if section.average and len(columns) > 1:
        average = (AVERAGE, *[""] * (len(section.columns) - 1))
        for row in rows:
            groups[row, average] = Groups(tuple(tuple(trials.get((row, column), ())) for column in columns))
        columns.append(average)
    entries = {key: _entry(found, outcomes, failed or {}, section) for key, found in groups.items()}
    baselines = {}
    for column in columns:
        name = _best(column, [row for row in rows if row != section.ours], entries)
        if name is None:
            continue
        baselines[column] = name
        if section.metric != "test":
            continue
        for row in rows:
            entry = entries.get((row, column))
            if row != name and entry is not None:
                found = compare_rows(section.rows, groups[row, column], groups[name, column], outcomes)
                entries[row, column] = replace(entry, difference=found)
    return Table(
        title=suite.title or suite.name,
        row_title=section.rows,
        column_titles=section.columns,
        rows=rows,
        columns=tuple(columns),
        metric=section.metric,
        ours=section.ours,
        entries=entries,
        baselines=baselines,
    )


def _order_columns(suite: SuiteConfig, columns: Sequence[Column]) -> list[Column]:
    """Columns that share their first label beside each other, then those that share the second."""
    named = {"model": list(suite.models), "setting": list(suite.settings)}
    orders = [
        list(dict.fromkeys([*named.get(title, []), *(column[level] for column in columns)]))
        for level, title in enumerate(suite.table.columns)
    ]
    return sorted(
        columns, key=lambda column: [order.index(x) for order, x in zip(orders, column, strict=True)]
    )


def _entry(
    groups: Groups, outcomes: Mapping[str, TrialOutcome], failed: Mapping[str, str], section: TableSection
) -> TableEntry:
    score, gain = (_test, _test_gain) if section.metric == "test" else (_dev, _dev_gain)
    searching = not any(slot.evaluates_only for slot in groups.slots)
    whole = list(groups.complete_seeds(outcomes, score).values())

    def over(value: Value) -> list[float]:
        return [found for seed in whole if (found := mean(seed, value)) is not None]

    found = [outcomes[slot.run_dir] for slot in groups.slots if slot.run_dir in outcomes]
    searched = [outcomes[p.run_dir] for p in groups.searching.slots if p.run_dir in outcomes]
    scores, gains = over(score), over(gain) if searching else []
    tokens, calls = over(lambda item: float(item.tokens)), over(lambda item: float(item.calls))

    def rate(used: Value) -> float | None:
        """`gain` over what was used, mean over seeds."""
        found = [
            gained / spent
            for seed in whole
            if searching and (gained := mean(seed, gain)) is not None and (spent := mean(seed, used))
        ]
        return 100 * fmean(found) if found and len(found) == len(whole) else None

    dollars = over(_usd)
    return TableEntry(
        mean=100 * fmean(scores) if scores else None,
        std=100 * stdev(scores) if len(scores) > 1 else None,
        seeds=len(scores),
        wanted=len(groups.seeds),
        gain=100 * fmean(gains) if gains else None,
        efficiency=rate(lambda item: item.tokens / 1e6),
        usd=fmean(dollars) if len(dollars) == len(scores) and dollars else None,
        per_dollar=rate(_usd),
        per_optimizer_dollar=rate(lambda item: item.optimizer_usd),
        calls=fmean(calls) if calls else None,
        tokens=fmean(tokens) if tokens else None,
        failed=sum(slot.run_dir in failed for slot in groups.slots),
        stopped=sum(item.stopped_by_budget for item in found),
        stepless=sum(len(item.steps) < 2 for item in searched),
        curve=_curve(list(groups.searching.complete_seeds(outcomes, score).values()), section.steps),
    )


def _test(item: TrialOutcome) -> float | None:
    return item.test


def _dev(item: TrialOutcome) -> float | None:
    return item.dev


def _usd(item: TrialOutcome) -> float | None:
    return item.usd


def _test_gain(item: TrialOutcome) -> float | None:
    return None if item.test is None or item.initial_test is None else item.test - item.initial_test


def _dev_gain(item: TrialOutcome) -> float | None:
    return None if item.dev is None or item.initial_dev is None else item.dev - item.initial_dev


def _curve(seeds: Sequence[Sequence[Sequence[TrialOutcome]]], most: int | None) -> tuple[float, ...]:
    """Best dev score by step in points, mean over seeds and tasks, at most `most` steps. A search that ended before its
    first step counts with its start prompt."""
    last = None if most is None else most + 1
    curves = []
    for groups in zip(*seeds, strict=True):
        of_group = [item.steps[:last] for group in groups for item in group if item.steps]
        if not of_group:
            return ()
        curves.append(_average_curves(of_group))
    return tuple(100 * value for value in _average_curves(curves)) if curves else ()


def _average_curves(curves: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Their mean; one that ends early keeps its best prompt."""
    longest = max(len(curve) for curve in curves)
    held = [(*curve, *[curve[-1]] * (longest - len(curve))) for curve in curves]
    return tuple(fmean(values) for values in zip(*held, strict=True))


def _best(
    column: Column, rows: Sequence[str], entries: Mapping[tuple[str, Column], TableEntry]
) -> str | None:
    known = {
        row: entry
        for row in rows
        if (entry := entries.get((row, column))) is not None and entry.mean is not None
    }
    # Where some rows lack seeds, a lucky single seed must not become the baseline.
    most = max((entry.seeds for entry in known.values()), default=0)
    whole = {row: entry.mean or 0.0 for row, entry in known.items() if entry.seeds == most}
    return max(whole, key=whole.__getitem__, default=None)
