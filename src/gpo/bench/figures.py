"""The paper's figures as SVG files that stand alone: score against price (Figure 1), best score by step (Figure 3).

Knows a table's numbers and no run.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from gpo.bench.render import column_text
from gpo.bench.table import Column, Table
from gpo.bench.text import label
from gpo.report.plain import printable
from gpo.report.svg import Scale, axis_bottom, axis_left, element, path

WIDTH, HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 470, 44, 340
# Okabe and Ito's palette: told apart also by people who see few colours; shapes of lines repeat what colours say.
_COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
_DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 2", "10 4", "4 2", "12 2")
_STYLE = (
    "svg{background:#fff;font:12px system-ui,sans-serif}text{fill:#222}.grid{stroke:#ddd}.base{stroke:#888}"
    ".axis{font-weight:600}"
)


def tradeoff_figure(table: Table) -> str:
    """Score of each row's best prompt against its improvement per million tokens; one panel a column."""
    panels = []
    for index, column in enumerate(table.columns):
        found = [(row, table.entry(row, column)) for row in table.rows]
        known = [
            (row, entry.efficiency, entry.mean)
            for row, entry in found
            if entry.efficiency is not None and entry.mean is not None
        ]
        panels.append(_panel(index, column, _tradeoff(table, known)))
    return _file(panels, f"{table.title}: score against improvement per million tokens")


def curve_figure(table: Table) -> str:
    """Best dev score so far by step, mean over seeds and tasks; one panel a column."""
    panels = []
    for index, column in enumerate(table.columns):
        curves = [(row, curve) for row in table.rows if (curve := table.entry(row, column).curve)]
        panels.append(_panel(index, column, _curves(table, curves)))
    return _file(panels, f"{table.title}: best dev score by step")


def _tradeoff(table: Table, points: Sequence[tuple[str, float, float]]) -> list[str]:
    if not points:
        return [_nothing()]
    x = _scale([x for _, x, _ in points], _LEFT, _RIGHT, zero=True)
    y = _scale([y for _, _, y in points], _BOTTOM, _TOP)
    parts: list[str] = [
        axis_left(y, _LEFT, _RIGHT, "score"),
        axis_bottom(x, _BOTTOM, "improvement (points) per million tokens", whole=False),
    ]
    for row, across, up in points:
        colour, _ = _look(table, row)
        parts.append(element("circle", cx=x(across), cy=y(up), r=6, fill=colour))
        parts.append(element("text", printable(label(row)), x=x(across) + 10, y=y(up) + 4))
    return parts


def _curves(table: Table, curves: Sequence[tuple[str, Sequence[float]]]) -> list[str]:
    if not curves:
        return [_nothing()]
    x = Scale(0, max(1, *(len(curve) - 1 for _, curve in curves)), _LEFT, _RIGHT)
    y = _scale([value for _, curve in curves for value in curve], _BOTTOM, _TOP)
    parts: list[str] = [axis_left(y, _LEFT, _RIGHT, "best dev score"), axis_bottom(x, _BOTTOM, "step")]
    for place, (row, curve) in enumerate(curves):
        colour, dash = _look(table, row)
        line = path((x(step), y(value)) for step, value in enumerate(curve))
        look = {
            "stroke": colour,
            "stroke_width": 3 if row == table.ours else 2,
            "stroke_dasharray": dash or None,
        }
        parts.append(element("path", d=line, fill="none", **look))
        if len(curve) == 1:
            parts.append(element("circle", cx=x(0), cy=y(curve[0]), r=4, fill=colour))
        at = _TOP + 20 * place
        parts.append(element("line", x1=_RIGHT + 16, x2=_RIGHT + 44, y1=at, y2=at, **look))
        parts.append(element("text", printable(label(row)), x=_RIGHT + 50, y=at + 4))
    return parts


def _look(table: Table, row: str) -> tuple[str, str]:
    # The row that is no baseline is drawn solid, whichever place it has.
    order = sorted(table.rows, key=lambda name: name != table.ours)
    place = order.index(row) % len(_COLOURS)
    return _COLOURS[place], _DASHES[place]


def _scale(values: Sequence[float], start: float, end: float, *, zero: bool = False) -> Scale:
    low, high = min(values), max(values)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    margin = max((high - low) * 0.08, 0.5 if high == low else 0.0)
    return Scale(low - margin, high + margin, start, end)


def _nothing() -> Markup:
    return element("text", "no finished run yet", x=_LEFT, y=(_TOP + _BOTTOM) / 2)


def _panel(index: int, column: Column, parts: Sequence[str]) -> Markup:
    title = element("text", printable(column_text(column)), x=_LEFT, y=16, font_weight="700")
    return element("g", title, *parts, transform=f"translate(0 {index * HEIGHT})")


def _file(panels: Sequence[Markup], said: str) -> str:
    box = f"0 0 {WIDTH} {HEIGHT * max(1, len(panels))}"
    whole = element(
        "svg",
        element("title", printable(said)),
        element("style", _STYLE),
        *panels,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=box,
        role="img",
        width=WIDTH,
    )
    return f"{whole}\n"
