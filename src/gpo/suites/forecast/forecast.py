"""`--plan`: what a suite takes, kind of run by kind of run and in all, beside what the paper's runs were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from gpo.suites.forecast.paper_sizes import CANDIDATES, SEEDS, PaperSizes, sizes_of
from gpo.suites.forecast.sizes import RunSize, run_size
from gpo.suites.spec.grid import Grid, TableSlot
from gpo.suites.spec.suite import Suite
from gpo.suites.tables.escaping import format_number
from gpo.text import printable

Range = tuple[int, int]
N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKind:
    """All runs of one task entry under one method. Ranges are (least, most) over them, None where unknown; `calls` and
    `tokens` are totals over the `runs`, which are those that no entry above has."""

    task: str
    method: str
    runs: int
    steps: Range | None
    candidates: Range | None
    dev: Range | None
    test: Range | None
    calls: int | None
    tokens: int | None
    usd: float | None
    """Dollars over the `runs`, None where a price is unknown."""
    paper: PaperSizes | None
    program_runs: int | None = None
    """How often a program is run over the `runs`, where its calls are not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuitePlan:
    """The whole suite. Totals are None where a part of them is unknown."""

    title: str
    kinds: tuple[RunKind, ...]
    runs: int
    calls: int | None
    tokens: int | None
    usd: float | None
    seeds: int
    builtin: bool
    notes: tuple[str, ...] = ()
    """What a person must know beside it."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def plan(suite: Suite, trials: Grid) -> SuitePlan:
    """Sizes of `suite`; a run that two places share counts at the first. Raises `ConfigError` where data cannot be
    read."""
    by_dir = {trial.run_dir: trial for trial in trials.trials}
    sizes: dict[tuple[str, ...], RunSize] = {}
    kinds: dict[tuple[str, str], list[tuple[TableSlot, RunSize, bool]]] = {}
    seen: set[str] = set()
    for slot in trials.slots:
        first = slot.run_dir not in seen
        seen.add(slot.run_dir)
        labels = slot.labels
        # Seeds draw other rows, but as many.
        key = (slot.member, labels["task"], labels["method"], labels["model"], labels["setting"])
        if key not in sizes:
            sizes[key] = run_size(by_dir[slot.run_dir], trials.configs[slot.run_dir])
        kinds.setdefault((labels["task"], labels["method"]), []).append((slot, sizes[key], first))
    found = tuple(_kind(task, method, runs) for (task, method), runs in kinds.items())
    return SuitePlan(
        title=suite.config.title or suite.name,
        kinds=found,
        runs=len(trials.trials),
        calls=_sum([kind.calls for kind in found]),
        tokens=_sum([kind.tokens for kind in found]),
        usd=_sum([kind.usd for kind in found]),
        seeds=len(suite.config.seeds),
        builtin=suite.builtin,
        notes=trials.notes,
    )


def _kind(task: str, method: str, runs: Sequence[tuple[TableSlot, RunSize, bool]]) -> RunKind:
    sizes = [size for _, size, _ in runs]
    own = [size for _, size, first in runs if first]
    papers = {sizes_of(slot.member) for slot, _, _ in runs}
    return RunKind(
        task=task,
        method=method,
        runs=len(own),
        steps=_range([size.steps for size in sizes]),
        candidates=_range([size.candidates for size in sizes]),
        dev=_range([size.dev for size in sizes]),
        test=_range([size.test for size in sizes]),
        calls=_sum([size.calls for size in own]),
        tokens=_sum([size.tokens for size in own]),
        usd=_sum([size.usd for size in own]),
        paper=papers.pop() if len(papers) == 1 else None,
        program_runs=_sum([size.program_runs for size in own]) if own else None,
    )


def _range(values: Sequence[int | None]) -> Range | None:
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if len(known) == len(values) else None


def _sum(values: Sequence[N | None]) -> N | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def lines(planned: SuitePlan, width: int | None = None) -> list[str]:
    """For a person: a table of kinds, the sum, and the paper's runs beside them. Where the table is wider than `width`,
    what is the same in every row stands once above it."""
    heads = ["task", "method", "runs", "steps", "candidates", "dev", "test", "calls", "tokens", "dollars"]
    rows = [
        [
            printable(kind.task),
            printable(kind.method),
            str(kind.runs),
            *(_span(part) for part in (kind.steps, kind.candidates, kind.dev, kind.test)),
            format_number(kind.calls),
            format_number(kind.tokens),
            format_number(kind.usd, ",.2f"),
        ]
        for kind in planned.kinds
    ]
    total = [
        "in all",
        "",
        str(planned.runs),
        "",
        "",
        "",
        "",
        format_number(planned.calls),
        format_number(planned.tokens),
    ]
    total.append(format_number(planned.usd, ",.2f"))
    table = [heads, *rows, total]
    same = ""
    if width is not None and max(map(len, _aligned(table))) > width:
        table, same = _hoist(table)
    return [
        printable(planned.title),
        *([same] if same else []),
        *_aligned(table),
        *_compare_with_paper(planned),
        *(f"note: {printable(note)}" for note in (*planned.notes, *_describe_programs(planned))),
        "calls, tokens and dollars are expected ones of both models, with racing and an equal budget where the suite "
        "has them; answers that runs share through the store of calls, an early end and other budgets only make them "
        "fewer. – is unknown before the run (rows that are not fetched yet, a program's calls, a protocol that goes by "
        "its answers, a price)",
    ]


def _describe_programs(planned: SuitePlan) -> list[str]:
    counts = [kind.program_runs for kind in planned.kinds if kind.program_runs is not None]
    if not counts:
        return []
    return [
        f"programs are run about {sum(counts):,} times in all; how many calls a run makes is known once the first row "
        "has been run"
    ]


def _compare_with_paper(planned: SuitePlan) -> list[str]:
    """The paper's figures for every task entry that it has, and whether the plan is the same."""
    said = []
    for task in dict.fromkeys(kind.task for kind in planned.kinds):
        kinds = [kind for kind in planned.kinds if kind.task == task and kind.steps and kind.steps[1]]
        paper = kinds[0].paper if kinds else None
        if paper is None:
            continue
        ours = [(k.steps, k.candidates, k.dev, k.test) for k in kinds]
        theirs = (paper.steps, CANDIDATES, paper.dev, paper.test)
        least = all(
            part is not None and part[0] == paper_
            for k in ours
            for part, paper_ in zip(k, theirs, strict=True)
        )
        most = all(
            part is not None and part[1] == paper_
            for k in ours
            for part, paper_ in zip(k, theirs, strict=True)
        )
        same = "planned otherwise"
        if most and planned.seeds == SEEDS:
            same = "as planned" if least else "as planned, but for tasks that have fewer rows"
        said.append(
            f"{printable(task)} in the paper: {paper.steps} steps of {CANDIDATES} candidates on {paper.dev} dev "
            f"examples, {paper.test} test examples, {SEEDS} runs each ({same})"
        )
    return said


def _span(found: Range | None) -> str:
    if found is None:
        return "–"
    return str(found[0]) if found[0] == found[1] else f"{found[0]}–{found[1]}"


def _hoist(table: list[list[str]]) -> tuple[list[list[str]], str]:
    """The table without the columns that say the same in every row and have no sum, and a line that says them; the
    method and the runs stay."""
    heads, *rows = table
    same = [
        index
        for index, head in enumerate(heads)
        if head not in ("method", "runs")
        and (index == 0 or not rows[-1][index])
        and len({row[index] for row in rows[:-1]}) == 1
    ]
    if not same:
        return table, ""
    told = ", ".join(f"{heads[index]} {rows[0][index]}" for index in same)
    kept = [[cell for index, cell in enumerate(row) if index not in same] for row in table]
    if 0 in same:
        kept[-1][0] = table[-1][0]  # "in all"
    return kept, f"the same in every row: {told}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return [
        "  ".join(
            trial.ljust(width) if rows[0][index] in ("task", "method") else trial.rjust(width)
            for index, (trial, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
