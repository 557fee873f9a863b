"""From the run directories of a suite to its table and figures, in files and on a terminal. Makes no run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpo.errors import RunError
from gpo.storage.atomic_write import encode_text, write_atomically
from gpo.suites.spec.grid import Grid
from gpo.suites.spec.suite import SuiteConfig
from gpo.suites.tables.escaping import join_failures, label
from gpo.suites.tables.figures import curve_figure, tradeoff_figure
from gpo.suites.tables.render import column_text, difference_text, entry_text, to_csv, to_latex, to_markdown
from gpo.suites.tables.run_outcome import TrialOutcome, has_other_budget, read_outcome
from gpo.suites.tables.table import Column, Table, build_table
from gpo.text import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Lines


def report(suite: SuiteConfig, grid: Grid, out: Path, failed: dict[str, str] | None = None) -> Table:
    """Write table.md, table.csv, table.tex and, for a figure, figure.svg into `out`; returns the table.

    `failed` has the reasons of runs that failed. A run whose directory is damaged counts as failed too: its reason is
    added. Raises `RunError` where a file cannot be written.
    """
    reasons = {} if failed is None else failed
    outcomes: dict[str, TrialOutcome] = {}
    for trial in grid.trials:
        try:
            found = read_outcome(trial.run_dir, out)
        except RunError as error:
            reasons.setdefault(trial.run_dir, str(error))
            continue
        if found is not None:
            outcomes[trial.run_dir] = found
            # Another process may have ended what this one could not.
            reasons.pop(trial.run_dir, None)
    before = sum(has_other_budget(name, out, grid.configs[name].budget) for name in outcomes)
    told = (f"{before} of the runs were made under another budget than the suite has now",) if before else ()
    table = replace(build_table(suite, grid.slots, outcomes, reasons), notes=(*grid.notes, *told))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{out}: cannot be created ({error.strerror}); choose another --out") from None
    files = {
        "table.md": to_markdown(table, reasons, [*notes(suite, outcomes, len(grid.trials)), *table.notes]),
        "table.csv": to_csv(table),
        "table.tex": to_latex(table),
    }
    if suite.figure == "tradeoff":
        files["figure.svg"] = tradeoff_figure(table)
    elif suite.figure == "curve":
        files["figure.svg"] = curve_figure(table)
    for name, text in files.items():
        write_atomically(out / name, encode_text(text))
    return table


def notes(suite: SuiteConfig, outcomes: Mapping[str, TrialOutcome], planned: int) -> list[str]:
    """How the numbers are to be read."""
    seeds = ", ".join(str(seed) for seed in suite.seeds)
    split = "the held-out test set" if suite.table.metric == "test" else "dev, on which prompts were chosen"
    said = [
        f"{len(outcomes)} of {planned} runs are finished. Scores are points (0 to 100) on {split}: mean ± sample "
        f"standard deviation over the seeds {seeds}; a group is the mean of its tasks."
    ]
    if suite.table.metric == "test":
        said.append(
            "Intervals and tests take a test example as one observation, with all that was answered to it under every "
            "seed, model and setting. Better (worse) is said where the 95 % interval lies above (below) 0 and p < 0.05."
        )
    if any(outcome.stopped_by_budget for outcome in outcomes.values()):
        said.append(
            "Stopped: a run that its budget ended; it answers with its best prompt so far. Answers that another run "
            "has paid for are free, so how far a budget leads depends on what was run before; an equal budget counts "
            "them."
        )
    if suite.budget.equal:
        caps = {"calls": suite.budget.max_calls, "tokens": suite.budget.max_tokens}
        told = " and ".join(f"{cap:,} {name}" for name, cap in caps.items() if cap)
        passed = "; its tokens may have passed the cap" if suite.budget.max_tokens else ""
        said.append(
            f"Equal budget: every search ends with the last step that it could finish within {told}, answers that it "
            "shares with others included and the held-out test left out. The step after it is dropped as if it had "
            f"never begun; what it had asked for by then stands among calls and tokens{passed}. A search that could "
            "finish no step answers with its start prompt."
        )
    return said


def show(table: Table, failed: Mapping[str, str], out: Path, console: Console) -> None:
    """The table on a terminal."""
    from rich.text import Text

    console.print(Text(printable(table.title), style="bold"))
    for columns in _blocks(table, console.width if console.is_terminal else None):
        console.print(_grid(table, columns))
    for note in table.notes:
        console.print(f"note: {printable(note)}", style="yellow", markup=False)
    for names, reason in join_failures(failed):
        console.print(f"failed: {printable(names)}: {printable(reason)}", style="red", markup=False)
    console.print(f"written to {out}", style="dim", markup=False)


def _cell(table: Table, row: str, column: Column) -> str:
    entry = table.entry(row, column)
    told = difference_text(entry)
    return entry_text(entry) + (f"\n{told}" if told else "")


def _width(table: Table, column: Column) -> int:
    """Characters of the longest line in the cells of `column`, and of the longest word of its head."""
    return max(
        *(len(line) for row in table.rows for line in _cell(table, row, column).splitlines()),
        *map(len, column_text(column).split()),
    )


def _blocks(table: Table, width: int | None) -> list[list[Column]]:
    """The columns in as many blocks as it takes for none to be cut at `width` characters; None is any width."""
    if width is None:
        return [list(table.columns)]
    frame = 3  # a line and a blank on both sides
    first = 1 + frame + max(map(len, (table.row_title, *map(label, table.rows))))
    blocks: list[list[Column]] = [[]]
    used = first
    for column in table.columns:
        wide = frame + _width(table, column)
        if blocks[-1] and used + wide > width:
            blocks.append([])
            used = first
        blocks[-1].append(column)
        used += wide
    return blocks


def _grid(table: Table, columns: Sequence[Column]) -> Lines:
    """A part of the table; heads may take several lines, numbers stay whole."""
    from rich.table import Table as Lines
    from rich.text import Text

    grid = Lines()
    grid.add_column(Text(printable(table.row_title)), no_wrap=True)
    for column in columns:
        head = Text(printable(column_text(column)))
        grid.add_column(head, justify="right", min_width=_width(table, column), overflow="fold")
    for row in table.rows:
        cells = [Text(_cell(table, row, column), no_wrap=True) for column in columns]
        grid.add_row(Text(printable(label(row))), *cells)
    return grid


def to_dict(table: Table, failed: Mapping[str, str]) -> dict[str, Any]:
    """The table as plain JSON values."""
    return {
        "title": table.title,
        "metric": table.metric,
        "rows": table.row_title,
        "columns": list(table.column_titles),
        "entries": [
            {
                "row": row,
                "column": list(column),
                **asdict(entry := table.entry(row, column)),
                "baseline": table.baselines.get(column),
                "verdict": entry.difference.verdict if entry.difference else None,
            }
            for row in table.rows
            for column in table.columns
        ],
        "failed": dict(failed),
        "notes": list(table.notes),
    }
