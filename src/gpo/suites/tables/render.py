"""A table as Markdown, LaTeX and CSV. How the numbers came about is told in the notes."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence

from gpo.evaluation.statistics import Verdict
from gpo.result.wording import format_dollars
from gpo.suites.tables.escaping import (
    escape_csv,
    escape_latex,
    escape_markdown,
    format_number,
    join_failures,
    label,
    score,
)
from gpo.suites.tables.table import Column, Table, TableEntry

Show = Callable[[TableEntry], str]


def entry_text(entry: TableEntry) -> str:
    """An entry as the table has it."""
    said = [
        f"{count} {what}"
        for count, what in ((entry.stopped, "stopped"), (entry.stepless, "without a step"))
        if count
    ]
    return score(entry.mean, entry.std, entry.seeds, entry.wanted, entry.failed, said)


def difference_text(entry: TableEntry) -> str:
    """The difference from the best baseline with its interval and, where one is shown to be better, the verdict; ""
    for the baseline itself."""
    found = entry.difference
    if found is None:
        return ""
    said = found.verdict
    shown = f" {said}" if said in (Verdict.BETTER, Verdict.WORSE) else ""
    return f"{found.mean:+z.2f} [{found.low:+z.2f}, {found.high:+z.2f}]{shown}"


def column_text(column: Column) -> str:
    """A column's labels in one line."""
    return " · ".join(part for part in column if part) or "score"


def best_rows(table: Table, column: Column) -> set[str]:
    """The rows with the highest mean as it is shown, of those with the most seeds: one lucky seed is not the best."""
    entries = {row: table.entry(row, column) for row in table.rows}
    most = max((entry.seeds for entry in entries.values() if entry.mean is not None), default=0)
    means = {row: e.mean for row, e in entries.items() if e.mean is not None and e.seeds == most}
    top = max((f"{mean:.2f}" for mean in means.values()), key=float, default="")
    return {row for row, mean in means.items() if f"{mean:.2f}" == top}


def to_markdown(table: Table, failed: Mapping[str, str], notes: Sequence[str] = ()) -> str:
    """The whole page: scores, differences, costs, failures, notes."""
    parts = [f"# {escape_markdown(table.title)}", *scores_markdown(table)]
    if any(entry.efficiency is not None for entry in table.entries.values()):
        parts += [
            "Improvement over the start prompt in points a million tokens of the search:",
            _markdown_table(table, lambda entry: format_number(entry.efficiency, ".2f")),
            "Calls, tokens and dollars of a search, both models:",
            _markdown_table(
                table,
                lambda entry: (
                    f"{format_number(entry.calls)} calls, {format_number(entry.tokens)} tokens, "
                    f"{format_dollars(entry.usd)}"
                ),
            ),
        ]
    if any(entry.per_dollar is not None for entry in table.entries.values()):
        parts += [
            "Improvement over the start prompt in points for a dollar of the search (both models; in parentheses the "
            "optimizer model's dollars alone):",
            _markdown_table(
                table,
                lambda entry: (
                    f"{format_number(entry.per_dollar, '.2f')} ({format_number(entry.per_optimizer_dollar, '.2f')})"
                ),
            ),
        ]
    if failed:
        lines = [
            f"- {escape_markdown(names)}: {escape_markdown(reason)}"
            for names, reason in join_failures(failed)
        ]
        parts += ["Failed runs:", "\n".join(lines)]
    return "\n\n".join([*parts, *(escape_markdown(note) for note in notes)]) + "\n"


def scores_markdown(table: Table) -> list[str]:
    """The scores and, where there are any, the differences from the best baseline: paragraphs of Markdown."""
    parts = [_markdown_table(table, entry_text, bold=True)]
    if any(entry.difference for entry in table.entries.values()):
        named = {column: f"against {label(table.baselines.get(column, ''))}" for column in table.columns}
        parts += [
            "Difference from the best baseline of each column, with its paired 95 % interval:",
            _markdown_table(table, difference_text, under=named),
        ]
    return parts


def _markdown_table(
    table: Table, show: Show, *, bold: bool = False, under: Mapping[Column, str] | None = None
) -> str:
    heads = [
        escape_markdown(column_text(column)) + (f"<br>{escape_markdown(under[column])}" if under else "")
        for column in table.columns
    ]
    lines = [
        f"| {escape_markdown(table.row_title)} | {' | '.join(heads)} |",
        f"| --- |{' ---: |' * len(table.columns)}",
    ]
    best = {column: best_rows(table, column) if bold else set() for column in table.columns}
    for row in table.rows:
        cells = []
        for column in table.columns:
            text = escape_markdown(show(table.entry(row, column)))
            cells.append(f"**{text}**" if row in best[column] else text)
        lines.append(f"| {escape_markdown(label(row))} | {' | '.join(cells)} |")
    return "\n".join(lines)


def to_latex(table: Table) -> str:
    """A `tabular` with the rules of booktabs, which its first line asks for as a comment; column labels of several
    dimensions stand over each other."""
    lines = [r"% \usepackage{booktabs}", rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}", r"\toprule"]
    for level in range(len(table.column_titles)):
        first = escape_latex(table.row_title) if level == len(table.column_titles) - 1 else ""
        lines.append(rf"{first} & {_heads([column[level] for column in table.columns])} \\")
    lines.append(r"\midrule")
    best = {column: best_rows(table, column) for column in table.columns}
    for row in table.rows:
        cells = [escape_latex(entry_text(table.entry(row, column))) for column in table.columns]
        shown = [
            rf"\textbf{{{cell}}}" if row in best[column] else cell
            for cell, column in zip(cells, table.columns, strict=True)
        ]
        lines.append(rf"{escape_latex(label(row))} & {' & '.join(shown)} \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _heads(labels: Sequence[str]) -> str:
    spans: list[tuple[str, int]] = []
    for text in labels:
        if spans and spans[-1][0] == text:
            spans[-1] = (text, spans[-1][1] + 1)
        else:
            spans.append((text, 1))
    return " & ".join(
        escape_latex(text) if width == 1 else rf"\multicolumn{{{width}}}{{c}}{{{escape_latex(text)}}}"
        for text, width in spans
    )


def to_csv(table: Table) -> str:
    """One line an entry, numbers to six digits after the point, unknown ones empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    numbers = (
        "mean",
        "std",
        "seeds",
        "wanted",
        "failed",
        "stopped",
        "stepless",
        "gain",
        "efficiency",
        "calls",
        "tokens",
        "usd",
        "per_dollar",
        "per_optimizer_dollar",
    )
    names = ("baseline", "difference", "ci_low", "ci_high", "p_value", "verdict")
    writer.writerow([table.row_title, *table.column_titles, "metric", *numbers, *names])
    for row in table.rows:
        for column in table.columns:
            entry = table.entry(row, column)
            found = entry.difference
            told = [getattr(entry, name) for name in numbers]
            against = (
                [
                    escape_csv(table.baselines.get(column, "")),
                    *map(_round, (found.mean, found.low, found.high, found.p_value)),
                    found.verdict.value,
                ]
                if found
                else [""] * len(names)
            )
            where = [escape_csv(part) for part in (row, *column)]
            values = ["" if value is None else _round(value) for value in told]
            writer.writerow([*where, table.metric, *values, *against])
    return buffer.getvalue()


def _round(value: float) -> float:
    return round(value, 6)
