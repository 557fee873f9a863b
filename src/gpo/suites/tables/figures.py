"""The paper's figures as SVG files that stand alone: score against price (Figure 1), best score by step (Figure 3)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from gpo.report.charts.svg import Scale, axis_bottom, axis_left, draw_path, element
from gpo.suites.tables.escaping import label
from gpo.suites.tables.render import column_text
from gpo.suites.tables.table import Column, Table
from gpo.text import printable

AXES = {
    "per_dollar": "improvement (points) per dollar, both models",
    "per_optimizer_dollar": "improvement (points) per dollar of the optimizer model",
    "efficiency": "improvement (points) per million tokens, both models",
}
HEIGHT = 400
_ACROSS = 2  # panels
_LETTER = 7  # px, about
_LONGEST = 48
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 470, 44, 340
# Okabe and Ito's palette: told apart also by people who see few colours; shapes of lines repeat what colours say.
_COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
_DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 2", "10 4", "4 2", "12 2")
_STYLE = (
    "svg{background:#fff;font:12px system-ui,sans-serif}text{fill:#222}.grid{stroke:#ddd}.base{stroke:#888}"
    ".axis{font-weight:600}"
)


def tradeoff_figure(table: Table) -> str:
    """Score of each row's best prompt against its improvement for what the search cost, one panel a column and price.

    Paper, Figure 1: dollars spent on API calls. It does not say whose calls, so both models' dollars have a panel, and
    the optimizer model's alone another. Where a price is not known it is million tokens of both models.
    """
    prices = [name for name in ("per_dollar", "per_optimizer_dollar") if _is_priced(table, name)]
    panels = []
    for column in table.columns:
        for name in prices or ["efficiency"]:
            found = [(row, table.entry(row, column)) for row in table.rows]
            known = [
                (row, across, entry.mean)
                for row, entry in found
                if (across := getattr(entry, name)) is not None and entry.mean is not None
            ]
            panels.append(_panel(column, _tradeoff(table, column, known, AXES[name])))
    return _file(table, panels, f"{table.title}: score against improvement for what the search cost")


def _is_priced(table: Table, name: str) -> bool:
    """Whether every search of the table that has an improvement has it for its dollars too."""
    searches = [entry for entry in table.entries.values() if entry.efficiency is not None]
    return bool(searches) and all(getattr(entry, name) is not None for entry in searches)


def curve_figure(table: Table) -> str:
    """Best dev score so far by step, mean over seeds and tasks; one panel a column."""
    panels = []
    for column in table.columns:
        curves = [(row, curve) for row in table.rows if (curve := table.entry(row, column).curve)]
        panels.append(_panel(column, _curves(table, column, curves)))
    return _file(table, panels, f"{table.title}: best dev score by step")


def _tradeoff(
    table: Table, column: Column, points: Sequence[tuple[str, float, float]], axis: str
) -> list[str]:
    if not points:
        return [_nothing(table, column)]
    x = _scale([x for _, x, _ in points], _LEFT, _RIGHT, zero=True)
    y = _scale([y for _, _, y in points], _BOTTOM, _TOP)
    parts: list[str] = [
        axis_left(y, _LEFT, _RIGHT, "score"),
        axis_bottom(x, _BOTTOM, axis, whole=False),
    ]
    order = _order(table, [row for row, _, _ in points])
    at = _apart([(x(across) + 10, y(up) + 4, (len(_name(row)) + 1) * _LETTER) for row, across, up in points])
    for (row, across, up), (left, base) in zip(points, at, strict=True):
        colour, _ = _look(order.index(row))
        if base != y(up) + 4:
            line = draw_path([(x(across), y(up)), (left - 2, base - 4)])
            parts.append(element("path", d=line, fill="none", stroke="#888"))
        parts.append(element("circle", cx=x(across), cy=y(up), r=6, fill=colour))
        parts.append(element("text", _name(row), x=left, y=base))
    return parts


def _apart(labels: Sequence[tuple[float, float, float]]) -> list[tuple[float, float]]:
    """Where texts at (left, base, width), each 10 to the right of its point, stand so that none lies over another or
    over a point: as they are, or further down."""
    line = 15
    taken = [(left - 18, base, 16.0) for left, base, _ in labels]
    found = {}
    for index in sorted(range(len(labels)), key=lambda i: labels[i][1]):
        left, base, width = labels[index]
        while clash := [y for x, y, w in taken if x < left + width and left < x + w and abs(y - base) < line]:
            base = max(clash) + line
        taken.append((left, base, width))
        found[index] = (left, base)
    return [found[index] for index in range(len(labels))]


def _curves(table: Table, column: Column, curves: Sequence[tuple[str, Sequence[float]]]) -> list[str]:
    if not curves:
        return [_nothing(table, column)]
    x = Scale(0, max(1, *(len(curve) - 1 for _, curve in curves)), _LEFT, _RIGHT)
    y = _scale([value for _, curve in curves for value in curve], _BOTTOM, _TOP)
    parts: list[str] = [axis_left(y, _LEFT, _RIGHT, "best dev score"), axis_bottom(x, _BOTTOM, "step")]
    order = _order(table, [row for row, _ in curves])
    for slot, (row, curve) in enumerate(curves):
        colour, dash = _look(order.index(row))
        line = draw_path((x(step), y(value)) for step, value in enumerate(curve))
        look = {
            "stroke": colour,
            "stroke_width": 3 if row == table.ours else 2,
            "stroke_dasharray": dash or None,
        }
        parts.append(element("path", d=line, fill="none", **look))
        if len(curve) == 1:
            parts.append(element("circle", cx=x(0), cy=y(curve[0]), r=4, fill=colour))
        at = _TOP + 20 * slot
        parts.append(element("line", x1=_RIGHT + 16, x2=_RIGHT + 44, y1=at, y2=at, **look))
        parts.append(element("text", _name(row), x=_RIGHT + 50, y=at + 4))
    return parts


def _order(table: Table, rows: Sequence[str]) -> list[str]:
    """The drawn rows in the order of the table, the one that is no baseline first: it alone is drawn solid."""
    return sorted(rows, key=lambda name: (name != table.ours, table.rows.index(name)))


def _look(slot: int) -> tuple[str, str]:
    """Colour and dash of the line with that `slot`: no two of the first fifty alike."""
    if not slot:
        return _COLOURS[0], _DASHES[0]
    others = len(_COLOURS) - 1
    turn, index = divmod(slot - 1, others)
    return _COLOURS[1 + index], _DASHES[1 + (index + turn) % others]


def _name(row: str) -> str:
    text = printable(label(row))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _scale(values: Sequence[float], start: float, end: float, *, zero: bool = False) -> Scale:
    low, high = min(values), max(values)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    margin = max((high - low) * 0.08, 0.5 if high == low else 0.0)
    return Scale(low - margin, high + margin, start, end)


def _nothing(table: Table, column: Column) -> Markup:
    finished = any(table.entry(row, column).mean is not None for row in table.rows)
    said = "nothing to draw: no search is finished" if finished else "no finished run yet"
    return element("text", said, x=_LEFT, y=(_TOP + _BOTTOM) / 2)


def _panel(column: Column, parts: Sequence[str]) -> Markup:
    title = element("text", printable(column_text(column)), x=_LEFT, y=16, font_weight="700")
    return Markup("").join([title, *parts])


def _file(table: Table, panels: Sequence[Markup], said: str) -> str:
    """Panels beside and under each other; the legend decides how wide one is."""
    wide = _RIGHT + 60 + _LETTER * max([16, *(len(_name(row)) for row in table.rows)])
    across = min(_ACROSS, max(1, len(panels)))
    down = max(1, math.ceil(len(panels) / across))
    placed = [
        element("g", panel, transform=f"translate({index % across * wide} {index // across * HEIGHT})")
        for index, panel in enumerate(panels)
    ]
    width = across * wide
    whole = element(
        "svg",
        element("title", printable(said)),
        element("style", _STYLE),
        *placed,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {down * HEIGHT}",
        role="img",
        width=width,
    )
    return f"{whole}\n"
