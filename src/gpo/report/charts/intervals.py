"""Two scores with their intervals on one scale from 0 to 100: what stands beside the first number of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gpo.evaluation.statistics import Interval
from gpo.report.charts.svg import Scale, drawing, element
from gpo.text import points

_WIDTH, _LEFT, _RIGHT = 440, 62, 428
_ROW, _TOP = 26, 18


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """A prompt's name, its mean (0..1) and the interval around it, None where it is not known."""

    name: str
    mean: float
    interval: Interval | None


def draw_intervals(rows: Sequence[IntervalRow], where: str) -> Markup:
    """One row a prompt: its mean as a mark, the 95 % interval as a bar. `where` names the split for the label."""
    x = Scale(0, 100, _LEFT, _RIGHT)
    bottom = _TOP + _ROW * len(rows) - 6
    parts = [
        element("line", class_="grid", x1=x(at), x2=x(at), y1=4, y2=bottom) for at in (0, 25, 50, 75, 100)
    ]
    parts += [
        element("text", str(at), class_="tick", x=x(at), y=bottom + 16, text_anchor="middle")
        for at in (0, 25, 50, 75, 100)
    ]
    said = []
    for index, row in enumerate(rows):
        y = _TOP + _ROW * index
        series = f"interval {'after' if index == len(rows) - 1 else 'before'}"
        parts.append(element("text", row.name, class_="name", x=0, y=y + 5))
        span = ""
        if row.interval is not None:
            low, high = 100 * row.interval.low, 100 * row.interval.high
            parts.append(element("line", class_=series, x1=x(low), x2=x(high), y1=y, y2=y))
            span = f" (95 % interval {points(row.interval.low)} to {points(row.interval.high)})"
        parts.append(element("circle", class_=f"{series} mean", cx=x(100 * row.mean), cy=y, r=6))
        said.append(f"{row.name} {points(row.mean)}{span}")
    label = f"Scores on {where}: {', '.join(said)}"
    return drawing(_WIDTH, bottom + 22, label, *parts, class_="chart intervals")
