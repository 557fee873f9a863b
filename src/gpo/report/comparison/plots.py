"""The pictures of a comparison: best dev score by step, and cost against accuracy (paper, Figure 1).

Each is drawn twice, for a wide page and for a narrow one; the style sheet shows the one that fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gpo.report.charts.curve import score_scale
from gpo.report.charts.svg import Scale, axis_bottom, axis_left, draw_path, drawing, element, steps
from gpo.report.comparison.compared import Compared
from gpo.report.comparison.groups import Curve, Curves, Group, curves_of

MOST_NAMED = 40
"""Configurations with a line of their own colour and a name; the others are thin lines behind them."""
_TOP, _FOOT = 34, 50
_APART_X, _APART_Y = 40, 15  # pixels that two names keep between them
_LETTER = 7.2  # the width of a letter of a name in pixels, about


@dataclass(frozen=True, slots=True)
class Paper:
    """The size of a drawing in pixels: its width, what is kept free for names at the right, and whether they are
    written out or are numbers alone."""

    width: int
    names: int
    named: bool

    @property
    def left(self) -> int:
        """Where the scale of the scores stands."""
        return 62 if self.named else 40

    @property
    def right(self) -> int:
        """Where lines end and names begin."""
        return self.width - self.names

    @property
    def class_(self) -> str:
        """Told to the style sheet."""
        return "chart wide" if self.named else "chart narrow"


WIDE, NARROW = Paper(940, 230, True), Paper(360, 36, False)
End = tuple[float, float, Group]
"""Where the name of a group belongs."""


def draw_curves(groups: Sequence[Group], paper: Paper) -> Markup:
    """One line a group at its true height: the mean over its seeds, within a band from the lowest to the highest."""
    curves = {group.number: curves_of(group) for group in groups}
    named = _pick_named(groups)
    everything = [curve for found in curves.values() for curve in (found.low, found.high)]
    bottom = max(300.0, _TOP + _APART_Y * len(named))
    last = max((at for curve in everything for at, _ in curve), default=1) or 1
    x = Scale(0, last, paper.left, paper.right)
    y = score_scale([value for curve in everything for _, value in curve], bottom, _TOP)
    behind: list[Markup] = []
    bands: list[Markup] = []
    lines: list[Markup] = []
    ends: list[End] = []
    for group in groups:
        found = curves[group.number]
        if not found.middle:
            continue
        path = element("path", d=draw_path(corners := _corners(found.middle, x, y, last)))
        if group.number not in named:
            behind.append(element("g", path, class_="others"))
            continue
        if len(group.seeds) > 1:
            bands.append(_band(group, found, x, y, last))
        lines.append(element("g", path, class_=group.series, data_group=group.number))
        ends.append((*corners[-1], group))
    label = f"Best dev score by step of {len(groups)} configurations; the numbers at the lines are those of the table."
    return drawing(
        paper.width,
        bottom + _FOOT,
        label,
        axis_left(y, paper.left, paper.right, "best dev score"),
        *behind,
        *bands,
        *lines,
        *_names(ends, paper, bottom),
        axis_bottom(x, bottom, "step"),
        class_=paper.class_,
    )


def _pick_named(groups: Sequence[Group]) -> set[int]:
    """The numbers of the groups that have a colour: those of the best dev scores where there are too many."""
    ranked = sorted(groups, key=lambda group: group.best.run.best_dev or 0.0, reverse=True)
    return {group.number for group in ranked[:MOST_NAMED]}


def _corners(curve: Curve, x: Scale, y: Scale, last: float) -> list[tuple[float, float]]:
    held = curve if curve[-1][0] >= last or len(curve) == 1 else [*curve, (last, curve[-1][1])]
    return steps([(x(at), y(100 * value)) for at, value in held])


def _band(group: Group, found: Curves, x: Scale, y: Scale, last: float) -> Markup:
    edge = [*_corners(found.high, x, y, last), *reversed(_corners(found.low, x, y, last))]
    path = element("path", d=f"{draw_path(edge)}Z")
    return element("g", path, class_=f"{group.series} band", data_group=group.number)


def _names(ends: Sequence[End], paper: Paper, bottom: float) -> list[Markup]:
    """The names at points. Those of one column are moved apart until none covers another; a thin line leads from a
    name that was moved to its point."""
    labels: list[Markup] = []
    columns: dict[int, list[End]] = {}
    for x, y, group in sorted(ends, key=lambda end: end[0]):
        near = next((at for at in columns if abs(at - x) < _APART_X), round(x))
        columns.setdefault(near, []).append((x, y, group))
    for column in columns.values():
        ordered = sorted(column, key=lambda end: (end[1], end[2].number))
        for place, (x, y, group) in zip(_apart([y for _, y, _ in ordered], bottom), ordered, strict=True):
            moved = abs(place - y) > 1
            if moved:
                labels.append(element("line", class_="lead", x1=x, y1=y, x2=x + 12, y2=place))
            text = _write_name(group, paper.width - x - 16) if paper.named else str(group.number)
            labels.append(
                element(
                    "text",
                    text,
                    class_="name",
                    x=x + (14 if moved else 6),
                    y=place + 4,
                    data_group=group.number,
                )
            )
    return labels


def _write_name(group: Group, room: float) -> str:
    text = f"{group.number} {group.name}"
    most = max(3, int(room / _LETTER))
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _apart(heights: Sequence[float], bottom: float) -> list[float]:
    """`heights` in rising order, moved so that neighbours keep `_APART_Y` and none leaves the plot."""
    places: list[float] = []
    for height in heights:
        places.append(max(height, places[-1] + _APART_Y) if places else height)
    below = max(0.0, places[-1] - bottom) if places else 0.0
    for index in range(len(places) - 1, -1, -1):
        ceiling = places[index + 1] - _APART_Y if index + 1 < len(places) else places[index] - below
        places[index] = min(places[index], ceiling)
    return places


def draw_plane(groups: Sequence[Group], paper: Paper) -> Markup | None:
    """Cost against accuracy (paper, Figure 1), a dot for each run: dollars where all are known, else tokens, else
    calls; what a run asks for, so that one that was answered by the store does not stand at no cost."""
    named = _pick_named(groups)
    dots = [
        (group, item)
        for group in groups
        if group.number in named
        for item in group.runs
        if item.accuracy is not None
    ]
    if not dots:
        return None
    title, costs = _weigh([item for _, item in dots])
    bottom = 300.0
    x = Scale(0, max(costs) * 1.08 or 1.0, paper.left, paper.width - 24)
    y = score_scale([bound for _, item in dots for bound in _bounds(item)], bottom, _TOP)
    parts: list[Markup] = []
    places: list[End] = []
    for (group, item), spent in zip(dots, costs, strict=True):
        low, high = _bounds(item)
        at, middle = x(spent), y(100 * (item.accuracy or 0.0))
        parts.append(
            element(
                "g",
                element("line", x1=at, x2=at, y1=y(100 * low), y2=y(100 * high)),
                element("circle", class_="dot", cx=at, cy=middle, r=5),
                class_=group.series,
                data_group=group.number,
            )
        )
        if item is group.runs[0]:
            places.append((at + 4, middle, group))
    split = "test" if all(item.best_test is not None for _, item in dots) else "test or dev"
    label = (
        f"{title} against {split} score of {len(dots)} runs, with 95 % intervals; the table has the numbers."
    )
    return drawing(
        paper.width,
        bottom + _FOOT,
        label,
        axis_left(y, paper.left, paper.width - 24, f"{split} score of the best prompt"),
        *parts,
        *_names(places, NARROW, bottom),
        axis_bottom(x, bottom, title, whole=not title.startswith("dollars")),
        class_=paper.class_,
    )


def _weigh(runs: Sequence[Compared]) -> tuple[str, list[float]]:
    """What the axis of costs says, and the cost of each run."""
    asked = [item.asked for item in runs]
    if all(own.usd for own in asked):
        return "dollars of all calls, sent or stored", [float(own.usd or 0) for own in asked]
    if all(own.tokens for own in asked):
        return "tokens of all calls, sent or stored", [float(own.tokens) for own in asked]
    return "calls, sent or stored", [float(own.calls) for own in asked]


def _bounds(item: Compared) -> tuple[float, float]:
    score = item.test or item.dev
    if score is not None:
        return score.low, score.high
    return item.accuracy or 0.0, item.accuracy or 0.0
