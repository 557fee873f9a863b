"""Drawing SVG as markup: elements, a linear scale, round tick marks.

Colours and sizes are classes of the page's style sheet, since its content policy forbids style attributes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape


def element(name: str, /, *children: str, **attributes: object) -> Markup:
    """One element. Attribute names take `_` for `-`, `class_` for `class`; None leaves an attribute out. Texts and
    values are escaped unless they are markup already."""
    parts = [name]
    for key, value in attributes.items():
        if value is not None:
            parts.append(f'{key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"')
    inner = Markup().join(escape(child) for child in children)
    return Markup("<{}>{}</{}>").format(Markup(" ".join(parts)), inner, Markup(name))


def drawing(width: float, height: float, label: str, *children: str, class_: str = "chart") -> Markup:
    """An `<svg>` that scales with its container; `label` is what it says to someone who does not see it."""
    box = f"0 0 {_short(width)} {_short(height)}"
    return element("svg", *children, class_=class_, viewBox=box, role="img", aria_label=label)


def draw_path(points: Iterable[tuple[float, float]]) -> str:
    """The `d` of a line through `points`."""
    return "".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(points))


def steps(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The corners of a step line: each value holds until the next point."""
    corners: list[tuple[float, float]] = []
    for x, y in points:
        if corners:
            corners.append((x, corners[-1][1]))
        corners.append((x, y))
    return corners


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps `low`..`high` to `start`..`end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        return self.start + (self.end - self.start) * ((value - self.low) / span if span else 0.5)

    def ticks(self, most: int = 5, *, whole: bool = False) -> list[float]:
        """At most `most` + 1 round values within the scale."""
        span = self.high - self.low
        if span <= 0:
            return [self.low]
        unit = 10.0 ** math.floor(math.log10(span / most))
        step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor * most >= span * (1 - 1e-9))
        step = max(step, 1.0) if whole else step
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor(self.high / step + 1e-9) - first + 1
        return [(first + index) * step for index in range(count)]


def axis_left(
    scale: Scale, left: float, right: float, title: str, *, whole: bool = False, unit: str = ""
) -> Markup:
    """Horizontal grid lines with their values, about one in 50 pixels, and a title above them."""
    parts: list[Markup] = []
    for tick in scale.ticks(max(4, round(abs(scale.end - scale.start) / 50)), whole=whole):
        y = scale(tick)
        parts.append(element("line", class_="grid", x1=left, x2=right, y1=y, y2=y))
        parts.append(
            element("text", f"{tick:,.10g}{unit}", class_="tick", x=left - 6, y=y + 4, text_anchor="end")
        )
    parts.append(element("text", title, class_="axis", x=left, y=min(scale.start, scale.end) - 10))
    return element("g", *parts)


def axis_bottom(scale: Scale, y: float, title: str, *, whole: bool = True, unit: str = "") -> Markup:
    """The values under a plot and what they are."""
    parts = [
        element("text", f"{tick:,.10g}{unit}", class_="tick", x=scale(tick), y=y + 18, text_anchor="middle")
        for tick in scale.ticks(6, whole=whole)
    ]
    parts.append(
        element("text", title, class_="axis", x=(scale.start + scale.end) / 2, y=y + 40, text_anchor="middle")
    )
    return element("g", element("line", class_="base", x1=scale.start, x2=scale.end, y1=y, y2=y), *parts)


def mark(kind: str, x: float, y: float, *, class_: str, name: str | None = None) -> Markup:
    """A point: "dot", "diamond", "cross", or "up" for one beyond the upper edge. Shapes say what colours say."""
    if kind == "dot":
        return element("circle", class_=class_, cx=x, cy=y, r=4, data_c=name)
    r = 6 if kind == "diamond" else 3.5
    lines = {
        "diamond": [(x, y - r), (x + r, y), (x, y + r), (x - r, y), (x, y - r)],
        "up": [(x, y - 7), (x + 6, y + 4), (x - 6, y + 4), (x, y - 7)],
    }.get(kind)
    d = (
        draw_path(lines) + "Z"
        if lines
        else f"{draw_path([(x - r, y - r), (x + r, y + r)])}{draw_path([(x - r, y + r), (x + r, y - r)])}"
    )
    return element("path", class_=class_, d=d, data_c=name)


def _short(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
