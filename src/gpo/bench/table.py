"""From runs to the numbers of a table: mean ± std over seeds, intervals against the best baseline, price, curves.

Scores are in points, 0 to 100, as the paper has them. Knows outcomes and no layout; what is missing stays missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, stdev

from gpo.bench.cells import Place
from gpo.bench.compare import stratified_interval
from gpo.bench.methods import PARTS
from gpo.bench.outcome import CellOutcome
from gpo.bench.suite import SuiteConfig, TableSection
from gpo.evaluation.statistics import Interval

Column = tuple[str, ...]
AVERAGE = "Average"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One cell of the table, in points. `mean` is over the `seeds` (of `wanted`) whose runs are all finished, None
    where there is none; `std` is the sample standard deviation, None under two seeds. `difference` is this row minus
    the column's best baseline with its 95 % interval. `gain` is the improvement over the start prompt, `efficiency`
    that a million tokens of the search. `failed` runs of this cell failed."""

    mean: float | None = None
    std: float | None = None
    seeds: int = 0
    wanted: int = 0
    difference: Interval | None = None
    gain: float | None = None
    efficiency: float | None = None
    calls: float | None = None
    tokens: float | None = None
    failed: int = 0
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
    entries: Mapping[tuple[str, Column], Entry] = field(hash=False)
    baselines: Mapping[Column, str] = field(default_factory=dict, hash=False)

    def entry(self, row: str, column: Column) -> Entry:
        """What stands there; an empty entry where the suite has no such run."""
        return self.entries.get((row, column), Entry())


def build_table(
    suite: SuiteConfig,
    places: Sequence[Place],
    outcomes: Mapping[str, CellOutcome],
    failed: Mapping[str, str] | None = None,
) -> Table:
    """The table of `suite` from what is finished."""
    section = suite.table
    cells: dict[tuple[str, Column], list[Place]] = {}
    for place in places:
        key = (place.labels[section.rows], tuple(place.labels[name] for name in section.columns))
        cells.setdefault(key, []).append(place)
    columns = list(dict.fromkeys(column for _, column in cells))
    if section.average and len(columns) > 1:
        average = (AVERAGE, *[""] * (len(section.columns) - 1))
        for (row, _), found in list(cells.items()):
            cells.setdefault((row, average), []).extend(found)
        columns.append(average)
    entries = {key: _entry(found, outcomes, failed or {}, section) for key, found in cells.items()}
    rows = tuple(dict.fromkeys(row for row, _ in cells))
    baselines = {}
    for column in columns:
        name = _best(column, [row for row in rows if row != section.ours], entries)
        if name is None:
            continue
        baselines[column] = name
        if section.metric == "test":
            for row in rows:
                _compare(section.rows, cells, outcomes, entries, (row, column), (name, column))
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


def _entry(
    places: Sequence[Place],
    outcomes: Mapping[str, CellOutcome],
    failed: Mapping[str, str],
    section: TableSection,
) -> Entry:
    by_seed: dict[int, list[Place]] = {}
    for place in places:
        by_seed.setdefault(place.seed, []).append(place)
    found = [
        [outcome for place in group if (outcome := outcomes.get(place.run_dir)) is not None]
        for group in by_seed.values()
    ]
    # A seed counts with all its tasks or not at all: a mean over other tasks is no mean of this cell.
    whole = [
        group for group, wanted in zip(found, by_seed.values(), strict=True) if len(group) == len(wanted)
    ]

    def over(value: Callable[[CellOutcome], float | None]) -> list[float]:
        return [mean for group in whole if (mean := _mean([value(item) for item in group])) is not None]

    scores = over(lambda item: item.test if section.metric == "test" else item.dev)
    searching = not any(place.evaluates_only for place in places)
    gains = over(_gain) if searching else []
    tokens, calls = over(lambda item: float(item.tokens)), over(lambda item: float(item.calls))
    rates = [
        gain / used * 1e6
        for group in whole
        if searching
        and (gain := _mean([_gain(item) for item in group])) is not None
        and (used := fmean(item.tokens for item in group)) > 0
    ]
    return Entry(
        mean=100 * fmean(scores) if scores else None,
        std=100 * stdev(scores) if len(scores) > 1 else None,
        seeds=len(scores),
        wanted=len(by_seed),
        gain=100 * fmean(gains) if gains else None,
        efficiency=100 * fmean(rates) if rates else None,
        calls=fmean(calls) if calls else None,
        tokens=fmean(tokens) if tokens else None,
        failed=sum(place.run_dir in failed for place in places),
        curve=_curve([item for group in whole for item in group], section.steps),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None


def _gain(item: CellOutcome) -> float | None:
    return None if item.test is None or item.initial_test is None else item.test - item.initial_test


def _curve(found: Sequence[CellOutcome], most: int | None) -> tuple[float, ...]:
    last = None if most is None else most + 1
    curves = [item.steps[:last] for item in found if len(item.steps) > 1]
    longest = max((len(curve) for curve in curves), default=0)
    # A run that stopped early keeps its best prompt.
    held = [(*curve, *[curve[-1]] * (longest - len(curve))) for curve in curves]
    return tuple(100 * fmean(values) for values in zip(*held, strict=True))


def _best(column: Column, rows: Sequence[str], entries: Mapping[tuple[str, Column], Entry]) -> str | None:
    known = {
        row: entry
        for row in rows
        if (entry := entries.get((row, column))) is not None and entry.mean is not None
    }
    # Where some rows lack seeds, a lucky single seed must not become the baseline.
    most = max((entry.seeds for entry in known.values()), default=0)
    whole = {row: entry.mean or 0.0 for row, entry in known.items() if entry.seeds == most}
    return max(whole, key=whole.__getitem__, default=None)


def _compare(
    rows: str,
    cells: Mapping[tuple[str, Column], Sequence[Place]],
    outcomes: Mapping[str, CellOutcome],
    entries: dict[tuple[str, Column], Entry],
    ours: tuple[str, Column],
    baseline: tuple[str, Column],
) -> None:
    """Put the difference of `ours` from `baseline` into its entry."""
    if ours == baseline or ours not in entries:
        return
    before = {_pair(place, rows): outcomes.get(place.run_dir) for place in cells[baseline]}
    tasks: dict[tuple[int | str, ...], dict[str, list[float]]] = {}
    for place in cells[ours]:
        new, old = outcomes.get(place.run_dir), before.get(_pair(place, rows))
        if new is None or old is None:
            continue
        examples = tasks.setdefault(_pair(place, rows)[1:], {})
        for example, value in new.rows.items():
            if example in old.rows:
                name = new.examples.get(example, example)
                examples.setdefault(name, []).append(100 * (value - old.rows[example]))
    strata = [list(examples.values()) for examples in tasks.values() if examples]
    if strata:
        entries[ours] = replace(entries[ours], difference=stratified_interval(strata))


def _pair(place: Place, rows: str) -> tuple[int | str, ...]:
    """What two runs of different rows must share for their test rows to be compared: the seed, and every label that the
    row does not decide."""
    decided = {rows} | (set(PARTS) if rows == "method" else {"method"} if rows in PARTS else set())
    return (place.seed, place.member, *(label for name, label in place.labels.items() if name not in decided))
