"""The tables of docs/statistics.md, from what benchmarks/coverage.py measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.results import ROOT

DOCS = ROOT / "docs" / "statistics.md"
BEGIN, END = "<!-- coverage: begin -->", "<!-- coverage: end -->"
CASES = ((0.2, 0.05), (0.2, 0.1), (0.4, 0.2))
"""Discordance and gain of the cells whose power is shown."""
Figure = Callable[[Sequence[dict[str, Any]], str], float]
NAMES = {
    "gpo": "GPO",
    "tango": "Tango's interval alone",
    "percentile": "percentile bootstrap alone",
    "bare": "larger mean",
}


def write_tables(data: dict[str, Any], source: Path, page: Path) -> None:
    """Put the tables of `data` between the marks of `page`."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = tables(data, source.name)
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def tables(data: dict[str, Any], source: str) -> str:
    """All tables as Markdown."""
    machine = data["machine"]
    binary = [item for item in data["measurements"] if item["scores"] == "0/1"]
    graded = [item for item in data["measurements"] if item["scores"] == "graded"]
    parts = [
        f"Measured {data['date']} by `python -m benchmarks.coverage` on {machine['cores']} cores ({machine['cpu']}), "
        f"numpy {data['versions']['numpy']}; the data are in `benchmarks/results/{source}`.",
        "Right-or-wrong scores: the least coverage of the 95 % interval, in %, over all discordances and gains.",
        _table("rows", binary, ("gpo", "tango", "percentile"), _least),
        'The largest chance of "better" where there is no difference, in %, over all discordances.',
        _table("rows", binary, ("gpo", "tango", "percentile", "bare"), _false),
        'The chance of "better" where there is a gain, in % (power).',
        _powers(binary),
        f"Graded scores, {data['settings']['samples']:,} draws a cell: least coverage over three shapes and two gains, "
        "in %.",
        _table("rows", graded, ("gpo", "percentile"), _least),
        'The largest chance of "better" without a difference, in %.',
        _table("rows", graded, ("gpo", "percentile", "bare"), _false),
    ]
    return "\n\n".join(parts)


def _table(first: str, items: Sequence[dict[str, Any]], names: Sequence[str], figure: Figure) -> str:
    rows = sorted({item["rows"] for item in items})
    lines = [
        f"| {first} | {' | '.join(NAMES[name] for name in names)} |",
        f"| ---: |{' ---: |' * len(names)}",
    ]
    for count in rows:
        own = [item for item in items if item["rows"] == count]
        lines.append(f"| {count:,} | {' | '.join(f'{100 * figure(own, name):.1f}' for name in names)} |")
    return "\n".join(lines)


def _least(items: Sequence[dict[str, Any]], name: str) -> float:
    return min(float(item[name]["coverage"]) for item in items)


def _false(items: Sequence[dict[str, Any]], name: str) -> float:
    return max(float(item[name]["better"]) for item in items if item["gain"] == 0)


def _powers(items: Sequence[dict[str, Any]], cases: Sequence[tuple[float, float]] = CASES) -> str:
    heads = [
        f"+{100 * gain:.0f} points, {100 * discordance:.0f} % discordant: {NAMES[name]}"
        for discordance, gain in cases
        for name in ("gpo", "percentile", "bare")
    ]
    lines = [f"| rows | {' | '.join(heads)} |", f"| ---: |{' ---: |' * len(heads)}"]
    for count in sorted({item["rows"] for item in items}):
        cells = []
        for discordance, gain in cases:
            item = next(
                item
                for item in items
                if (item["rows"], item["discordance"], item["gain"]) == (count, discordance, gain)
            )
            cells += [f"{100 * item[name]['better']:.0f}" for name in ("gpo", "percentile", "bare")]
        lines.append(f"| {count:,} | {' | '.join(cells)} |")
    return "\n".join(lines)
