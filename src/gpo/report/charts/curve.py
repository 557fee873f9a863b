"""The optimization curve (paper, Figure 3): dev scores by step, and below them on the same axis the edit limit and
the edit distances that were measured."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from gpo.report.charts.svg import Scale, axis_bottom, axis_left, draw_path, drawing, element, mark, steps
from gpo.report.views import CandidateView, RunView, StepView
from gpo.text import points

WIDTH = 760
MOST_MARKED = 150
"""Steps up to which each has its marks and its point of the curve at once."""
_BUCKETS = 80
_LEFT, _RIGHT = 62, 748
_TOP, _MIDDLE, _RUG = 34, 226, 250
_LOW, _BOTTOM = 30, 140


def draw_scores(run: RunView) -> Markup:
    """Best and current dev score a step; every fully scored candidate as a dot of the group "others", which the page
    shows on demand, and below them those dropped early."""
    x = _step_scale(run)
    label = (
        f"Dev score by step: {_percent(run.initial_dev)} at the start, best so far {_percent(run.best_dev)} after "
        f"{len(run.steps)} steps. The table below has the numbers."
    )
    bottom = _RUG + 12 if any(is_dropped(item) for step in run.steps for item in step.candidates) else _MIDDLE
    return drawing(WIDTH, bottom + 46, label, _scores(run, x), axis_bottom(x, bottom, "step"))


def draw_distances(run: RunView) -> Markup:
    """Edit limit and the edit distances that were measured, by step; outliers are marked at the upper edge."""
    x = _step_scale(run)
    label = "Words changed by step, beside the edit limit. The table below has the numbers."
    return drawing(WIDTH, _BOTTOM + 46, label, _distances(run.steps, x), axis_bottom(x, _BOTTOM, "step"))


def _step_scale(run: RunView) -> Scale:
    last = max(run.total or 0, len(run.steps), 1)
    if run.status != "running" and run.steps:
        last = len(run.steps)
    return Scale(-0.3, last + 0.6, _LEFT, _RIGHT)


def _scores(run: RunView, x: Scale) -> Markup:
    items = [item for step in run.steps for item in step.candidates if item.score is not None]
    values = [item.score or 0.0 for item in items] + [
        value for value in (run.initial_dev, run.best_dev) if value is not None
    ]
    start = [(0.0, run.initial_dev)] if run.initial_dev is not None else []
    current = [*start, *((s.number + 1.0, s.chosen_score) for s in run.steps if s.chosen_score is not None)]
    best = [*start, *((s.number + 1.0, s.best_score) for s in run.steps if s.best_score is not None)]
    # gpo+ corrects its estimates: what a step told may lie above all that is told at the end.
    y = score_scale([*values, *(value for _, value in (*current, *best))], _MIDDLE, _TOP)
    many = len(run.steps) > MOST_MARKED
    lines = [
        *_current(current, x, y),
        element("path", class_="line best", d=draw_path(steps([(x(a), y(100 * b)) for a, b in best]))),
    ]
    chosen: list[Markup] = []
    others: list[Markup] = []
    best_so_far = run.initial_dev or 0.0
    if run.initial_dev is not None:
        chosen.append(mark("diamond", x(0), y(100 * run.initial_dev), class_="dot chosen", name="initial"))
    for item in items:
        kind, class_ = ("diamond", "dot chosen") if item.chosen else ("dot", "dot")
        spot = (x(_place(item)), y(100 * (item.score or 0.0)))
        better = (item.score or 0.0) > best_so_far
        if item.chosen and better:
            best_so_far = item.score or 0.0
        # Of very many steps those alone that brought a better prompt are marked at once.
        at_once = item.chosen and (better or not many)
        (chosen if at_once else others).append(mark(kind, *spot, class_=class_, name=item.name))
    hidden = element("g", *others, *_rug(run, x), class_="others")
    # The chosen ones last, on top of the others.
    return element("g", axis_left(y, _LEFT, _RIGHT, "dev score", unit=""), *lines, hidden, *chosen)


def _current(curve: Sequence[tuple[float, float]], x: Scale, y: Scale) -> list[Markup]:
    """The score of the current prompt as a line; of very many steps the mean of every few, within a band from the
    lowest to the highest of them."""
    if len(curve) <= MOST_MARKED:
        return [element("path", class_="line current", d=draw_path((x(a), y(100 * b)) for a, b in curve))]
    size = -(-len(curve) // _BUCKETS)
    parts = [curve[start : start + size] for start in range(0, len(curve), size)]
    places = [x((part[0][0] + part[-1][0]) / 2) for part in parts]
    values = [[100 * value for _, value in part] for part in parts]
    high = [(at, y(max(own))) for at, own in zip(places, values, strict=True)]
    low = [(at, y(min(own))) for at, own in zip(places, values, strict=True)]
    middle = [(at, y(sum(own) / len(own))) for at, own in zip(places, values, strict=True)]
    return [
        element("path", class_="range", d=f"{draw_path([*high, *reversed(low)])}Z"),
        element("path", class_="line current", d=draw_path(middle)),
    ]


def _rug(run: RunView, x: Scale) -> list[Markup]:
    """The candidates that were dropped before they met all of dev, in a row of their own: a share of few rows, which
    were picked because they tell prompts apart, is no height beside a score on all of them."""
    items = [item for step in run.steps for item in step.candidates if is_dropped(item)]
    if not items:
        return []
    parts = [element("text", "dropped early", class_="tick", x=_LEFT, y=_RUG - 8)]
    parts += [mark("dot", x(_place(item)), _RUG, class_="dot estimate", name=item.name) for item in items]
    return parts


def _distances(all_steps: Sequence[StepView], x: Scale) -> Markup:
    items = [item for step in all_steps for item in step.candidates if item.distance is not None]
    limits = [step.limit for step in all_steps if step.limit is not None]
    top = _ceiling([item.distance or 0 for item in items], limits)
    y = Scale(0, top, _BOTTOM, _LOW)
    parts = [axis_left(y, _LEFT, _RIGHT, "words changed", whole=True)]
    corners: list[tuple[float, float]] = []
    for step in all_steps:
        if step.limit is not None:
            corners += [(x(step.number + 0.5), y(step.limit)), (x(step.number + 1.5), y(step.limit))]
    if corners:
        parts.append(element("path", class_="line limit", d=draw_path(corners)))
    for item in sorted(items, key=lambda item: item.chosen):
        distance = min(float(item.distance or 0), top)
        outlier = float(item.distance or 0) > top
        kind = "up" if outlier else "cross" if item.rejected else "diamond" if item.chosen else "dot"
        class_ = "dot rejected" if item.rejected else "dot chosen" if item.chosen else "dot"
        parts.append(mark(kind, x(_place(item)), y(distance), class_=class_, name=item.name))
    return element("g", *parts)


def score_scale(values: Sequence[float], bottom: float, top: float) -> Scale:
    """A scale in points of 100 around scores in 0..1."""
    low, high = (100 * min(values), 100 * max(values)) if values else (0.0, 100.0)
    margin = max(2.0, (high - low) * 0.06) if high > low else 10.0
    return Scale(max(0.0, low - margin), min(100.0, high + margin), bottom, top)


def value_of(item: CandidateView) -> float | None:
    """The full dev score, or the estimate where only that was made."""
    return item.score if item.score is not None else item.estimate


def is_dropped(item: CandidateView) -> bool:
    """Whether a candidate has an estimate over a part of dev alone."""
    return item.rejected is None and item.score is None and item.estimate is not None


def _place(item: CandidateView) -> float:
    # Candidates of one step side by side, so that equal scores do not hide each other; the chosen one on the line.
    return item.step + 1 + (0 if item.chosen else ((item.index % 12) - 5.5) * 0.05)


def _ceiling(distances: Sequence[int], limits: Sequence[int]) -> float:
    """The top of the lower plot: a few huge distances must not flatten all others; they are drawn at the edge."""
    if not distances:
        return float(max(limits, default=10))
    ordered = sorted(distances)
    usual = ordered[int(0.95 * (len(ordered) - 1))]
    return float(max(1.15 * usual, max(limits, default=0) * 1.1, 5))


def _percent(share: float | None) -> str:
    return "unknown" if share is None else points(share)
