"""From the run directories of a suite to its table and figures, in files and on a terminal. Makes no run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpo.bench.cells import Cells
from gpo.bench.figures import curve_figure, tradeoff_figure
from gpo.bench.outcome import CellOutcome, read_outcome
from gpo.bench.render import column_text, difference_text, entry_text, to_csv, to_latex, to_markdown
from gpo.bench.suite import SuiteConfig
from gpo.bench.table import Table, build_table
from gpo.bench.text import label
from gpo.errors import RunError
from gpo.report.plain import printable
from gpo.run.files import text_bytes, write_atomically

if TYPE_CHECKING:
    from rich.console import Console


def report(suite: SuiteConfig, cells: Cells, out: Path, failed: dict[str, str] | None = None) -> Table:
    """Write table.md, table.csv, table.tex and, for a figure, figure.svg into `out`; returns the table.

    `failed` has the reasons of runs that failed. A run whose directory is damaged counts as failed too: its reason is
    added. Raises `RunError` where a file cannot be written.
    """
    reasons = {} if failed is None else failed
    outcomes: dict[str, CellOutcome] = {}
    for cell in cells.cells:
        try:
            found = read_outcome(cell.run_dir, out)
        except RunError as error:
            reasons.setdefault(cell.run_dir, str(error))
            continue
        if found is not None:
            outcomes[cell.run_dir] = found
    table = replace(build_table(suite, cells.places, outcomes, reasons), notes=cells.notes)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{out}: cannot be created ({error.strerror}); choose another --out") from None
    files = {
        "table.md": to_markdown(
            table, reasons, [*notes(suite, len(outcomes), len(cells.cells)), *table.notes]
        ),
        "table.csv": to_csv(table),
        "table.tex": to_latex(table),
    }
    if suite.figure == "tradeoff":
        files["figure.svg"] = tradeoff_figure(table)
    elif suite.figure == "curve":
        files["figure.svg"] = curve_figure(table)
    for name, text in files.items():
        write_atomically(out / name, text_bytes(text))
    return table


def notes(suite: SuiteConfig, done: int, planned: int) -> list[str]:
    """How the numbers are to be read."""
    seeds = ", ".join(str(seed) for seed in suite.seeds)
    split = "the sealed test split" if suite.table.metric == "test" else "dev, on which prompts were chosen"
    said = [
        f"{done} of {planned} runs are finished. Scores are points (0 to 100) on {split}: mean ± sample standard "
        f"deviation over the seeds {seeds}; a group is the mean of its tasks."
    ]
    if suite.table.metric == "test":
        said.append(
            "Intervals draw whole test examples with replacement within each task, all seeds of an example together."
        )
    if suite.budget.equal:
        caps = {"calls": suite.budget.max_calls, "tokens": suite.budget.max_tokens}
        told = " and ".join(f"{cap:,} {name}" for name, cap in caps.items() if cap)
        passed = "; its tokens may have passed the cap" if suite.budget.max_tokens else ""
        said.append(
            f"Equal budget: every search ends with the last step that it could finish within {told}, answers that it "
            "shares with others included and the sealed test left out. The step after it is dropped as if it had "
            f"never begun; what it had asked for by then stands among calls and tokens{passed}. A search that could "
            "finish no step answers with its start prompt."
        )
    return said


def show(table: Table, failed: Mapping[str, str], out: Path, console: Console) -> None:
    """The table on a terminal."""
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(title=Text(printable(table.title)), title_justify="left")
    grid.add_column(Text(printable(table.row_title)))
    for column in table.columns:
        grid.add_column(Text(printable(column_text(column))), justify="right")
    for row in table.rows:
        cells = []
        for column in table.columns:
            entry = table.entry(row, column)
            told = difference_text(entry)
            cells.append(Text(entry_text(entry) + (f"\n{told}" if told else "")))
        grid.add_row(Text(printable(label(row))), *cells)
    console.print(grid)
    for note in table.notes:
        console.print(f"note: {printable(note)}", style="yellow", markup=False)
    for name, reason in failed.items():
        console.print(f"failed: {printable(name)}: {printable(reason)}", style="red", markup=False)
    console.print(f"written to {out}", style="dim", markup=False)


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
                **asdict(table.entry(row, column)),
                "baseline": table.baselines.get(column),
            }
            for row in table.rows
            for column in table.columns
        ],
        "failed": dict(failed),
        "notes": list(table.notes),
    }
