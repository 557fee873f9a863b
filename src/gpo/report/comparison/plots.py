"""The pictures of a comparison: best dev score by step, and cost against accuracy (paper, Figure 1)."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from gpo.report.charts.curve import WIDTH, score_scale
from gpo.report.charts.svg import Scale, axis_bottom, axis_left, draw_path, drawing, element, steps
from gpo.report.comparison.compared import Compared
from gpo.report.data import RunView

_LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 62, 716, 34, 300, 350
_APART_X, _APART_Y = 24, 13  # pixels that two numbers keep between them


def draw_curves(runs: Sequence[Compared]) -> Markup:
    lines = {item.number: _line(item.run) for item in runs}
    values = [value for line in lines.values() for _, value in line]
    x = Scale(0, max((at for line in lines.values() for at, _ in line), default=1) or 1, _LEFT, _RIGHT)
    y = score_scale(values, _BOTTOM, _TOP)
    parts: list[Markup] = []
    ends: list[tuple[float, float, Compared]] = []
    for item in runs:
        if line := lines[item.number]:
            corners = steps([(x(at), y(100 * value)) for at, value in line])
            parts.append(element("g", element("path", d=draw_path(corners)), class_=item.series))
            ends.append((*corners[-1], item))
    parts += _numbers(ends)
    label = f"Best dev score by step of {len(runs)} runs; the numbers at the lines are those of the table."
    return drawing(
        WIDTH,
        _HEIGHT,
        label,
        axis_left(y, _LEFT, _RIGHT, "best dev score"),
        *parts,
        axis_bottom(x, _BOTTOM, "step"),
    )


def _line(run: RunView) -> list[tuple[float, float]]:
    start = [] if run.initial_dev is None else [(0.0, run.initial_dev)]
    return start + [(s.number + 1.0, s.best_score) for s in run.steps if s.best_score is not None]


def _numbers(ends: Sequence[tuple[float, float, Compared]]) -> list[Markup]:
    """The numbers at points. Those of one column are moved apart until none covers another; a thin line leads from a
    number that was moved to its point."""
    labels: list[Markup] = []
    columns: dict[int, list[tuple[float, float, Compared]]] = {}
    for x, y, item in sorted(ends, key=lambda end: end[0]):
        near = next((at for at in columns if abs(at - x) < _APART_X), round(x))
        columns.setdefault(near, []).append((x, y, item))
    for column in columns.values():
        ordered = sorted(column, key=lambda end: end[1])
        for place, (x, y, item) in zip(_apart([y for _, y, _ in ordered]), ordered, strict=True):
            if abs(place - y) > 1:
                labels.append(element("line", class_="lead", x1=x, y1=y, x2=x + 12, y2=place))
            shift = 14 if abs(place - y) > 1 else 5
            labels.append(element("text", str(item.number), class_="name", x=x + shift, y=place + 4))
    return labels


def _apart(heights: Sequence[float]) -> list[float]:
    """`heights` in rising order, moved so that neighbours keep `_APART_Y` and none leaves the plot."""
    places: list[float] = []
    for height in heights:
        places.append(max(height, places[-1] + _APART_Y) if places else height)
    below = max(0.0, places[-1] - _BOTTOM) if places else 0.0
    for index in range(len(places) - 1, -1, -1):
        ceiling = places[index + 1] - _APART_Y if index + 1 < len(places) else places[index] - below
        places[index] = min(places[index], ceiling)
    return places


def draw_plane(runs: Sequence[Compared]) -> Markup | None:
    """Cost against accuracy (paper, Figure 1): dollars where all are known, else tokens, else calls; what a run asks
    for, so that one that was answered by the store does not stand at no cost."""
    dots = [item for item in runs if item.accuracy is not None]
    if not dots:
        return None
    if all(item.asked.usd for item in dots):
        title, costs = (
            "dollars of all calls asked for, sent or stored",
            [float(item.asked.usd or 0) for item in dots],
        )
    elif all(item.asked.tokens for item in dots):
        title, costs = (
            "tokens of all calls asked for, sent or stored",
            [float(item.asked.tokens) for item in dots],
        )
    else:
        title, costs = "calls asked for, sent or stored", [float(item.asked.calls) for item in dots]
    x = Scale(0, max(costs) * 1.08 or 1.0, _LEFT, _RIGHT)
    bounds = [bound for item in dots for bound in _bounds(item)]
    y = score_scale(bounds, _BOTTOM, _TOP)
    parts = []
    places: list[tuple[float, float, Compared]] = []
    for item, spent in zip(dots, costs, strict=True):
        low, high = _bounds(item)
        at, middle = x(spent), y(100 * (item.accuracy or 0.0))
        parts.append(
            element(
                "g",
                element("line", x1=at, x2=at, y1=y(100 * low), y2=y(100 * high)),
                element("circle", class_="dot", cx=at, cy=middle, r=5),
                class_=item.series,
            )
        )
        places.append((at + 4, middle, item))
    parts += _numbers(places)
    split = "test" if all(item.test for item in dots) else "test or dev"
    label = (
        f"{title} against {split} score of {len(dots)} runs, with 95 % intervals; the table has the numbers."
    )
    return drawing(
        WIDTH,
        _HEIGHT,
        label,
        axis_left(y, _LEFT, _RIGHT, f"{split} score of the best prompt"),
        *parts,
        axis_bottom(x, _BOTTOM, title, whole=not title.startswith("dollars")),
    )


def _bounds(item: Compared) -> tuple[float, float]:
    score = item.test or item.dev
    return (score.low, score.high) if score else (0.0, 0.0)
