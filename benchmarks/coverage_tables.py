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
    "bonett_price": "Bonett–Price alone",
    "tango": "Tango alone",
    "percentile": "percentile bootstrap alone",
    "bare": "larger mean",
}


def write_tables(found: dict[str, dict[str, Any]], page: Path) -> None:
    """Put the tables of the two results, by their files' names, between the marks of `page`."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{tables(found)}\n{END}{after}", encoding="utf-8")


def tables(found: dict[str, dict[str, Any]]) -> str:
    """All tables as Markdown."""
    (binary_name, binary), (graded_name, graded) = found.items()
    cells = len(binary["measurements"]) // len({item["rows"] for item in binary["measurements"]})
    parts = [
        f"Right-or-wrong scores, all outcomes added up ({_made(binary, binary_name)}). The least coverage of the 95 % "
        f"interval, in %, over {cells} combinations of discordance and gain:",
        _table(binary, ("gpo", "bonett_price", "tango", "percentile"), _least),
        'The largest chance of "better" where there is no difference, in %, over all discordances:',
        _table(binary, ("gpo", "bonett_price", "tango", "percentile", "bare"), _false),
        'The chance of "better" where there is a gain, in % (power):',
        *(_power(binary, discordance, gain) for discordance, gain in CASES),
        f"Graded scores, {graded['settings']['samples']:,} draws a cell ({_made(graded, graded_name)}). The least "
        "coverage over three shapes (even, few rows, skewed) and two gains (0 and 5 points), in %:",
        _table(graded, ("gpo", "percentile"), _least),
        'The largest chance of "better" without a difference, in %:',
        _table(graded, ("gpo", "percentile", "bare"), _false),
    ]
    return "\n\n".join(parts)


def _made(data: dict[str, Any], name: str) -> str:
    machine = data["machine"]
    return (
        f"`python -m benchmarks.coverage`, {data['date']}, {machine['cores']} cores of {machine['cpu']}, numpy "
        f"{data['versions']['numpy']}; data: `benchmarks/results/{name}`"
    )


def _table(data: dict[str, Any], names: Sequence[str], figure: Figure) -> str:
    by_rows: dict[int, list[dict[str, Any]]] = {}
    for item in data["measurements"]:
        by_rows.setdefault(item["rows"], []).append(item)
    lines = [
        f"| rows | {' | '.join(NAMES[name] for name in names)} |",
        f"| ---: |{' ---: |' * len(names)}",
    ]
    lines += [
        f"| {count:,} | {' | '.join(f'{100 * figure(items, name):.1f}' for name in names)} |"
        for count, items in sorted(by_rows.items())
    ]
    return "\n".join(lines)


def _least(items: Sequence[dict[str, Any]], name: str) -> float:
    return min(float(item[name]["coverage"]) for item in items)


def _false(items: Sequence[dict[str, Any]], name: str) -> float:
    return max(float(item[name]["better"]) for item in items if item["gain"] == 0)


def _power(data: dict[str, Any], discordance: float, gain: float) -> str:
    own = [
        item for item in data["measurements"] if (item["discordance"], item["gain"]) == (discordance, gain)
    ]
    names = ("gpo", "percentile", "bare")
    case = f"+{100 * gain:.0f} points, {100 * discordance:.0f} % discordant: rows"
    lines = [
        f"| {case} | {' | '.join(NAMES[name] for name in names)} |",
        f"| ---: |{' ---: |' * len(names)}",
    ]
    lines += [f"| {item['rows']:,} | {' | '.join(_whole(item, name) for name in names)} |" for item in own]
    return "\n".join(lines)


def _whole(item: dict[str, Any], name: str) -> str:
    return f"{100 * item[name]['better']:.0f}"
