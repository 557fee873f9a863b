"""The tree of prompts: from each current prompt to the candidates that were made from it."""

from __future__ import annotations

from markupsafe import Markup

from gpo.report.charts.curve import WIDTH, is_dropped, value_of
from gpo.report.charts.svg import Scale, axis_bottom, draw_path, drawing, element, mark
from gpo.report.views import CandidateView, RunView

_LEFT, _RIGHT, _TOP = 20, 748, 16


def ancestry(run: RunView) -> list[CandidateView]:
    """The candidates on the way from the initial prompt to the best one, in order."""
    made: dict[str, CandidateView] = {}
    for item in (item for step in run.steps for item in step.candidates):
        if item.rejected is None:
            made.setdefault(item.prompt, item)
    # gpo+ lists the initial prompt too where it takes part in a last comparison: nothing made it.
    made.pop(run.initial_prompt, None)
    way: list[CandidateView] = []
    prompt = run.best_prompt
    while prompt in made and len(way) <= len(made):
        item = made.pop(prompt)
        way.append(item)
        prompt = item.parent
    return way[::-1]


def _rank(item: CandidateView) -> tuple[int, int, float, int]:
    """The fully scored ones first, by score; then those that were dropped early, compared with those alone that met as
    many rows; then the rejected ones."""
    group = 2 if item.rejected is not None else 1 if is_dropped(item) else 0
    rows = -(item.estimate_rows or 0) if group == 1 else 0
    return (group, rows, -(value_of(item) or 0.0), item.index)


def tree(run: RunView) -> Markup:
    """One column a step, the better candidates higher; the thick line leads to the best prompt."""
    columns = [
        sorted(
            step.candidates,
            key=_rank,
        )
        for step in run.steps
    ]
    rows = max((len(column) for column in columns), default=1)
    gap = 20.0 if rows <= 12 else 240.0 / rows
    bottom = _TOP + gap * max(rows - 1, 1) + 14
    x = Scale(-0.3, max(len(run.steps), 1) + 0.3, _LEFT, _RIGHT)
    places: dict[str, tuple[float, float]] = {run.initial_prompt: (x(0), _TOP + gap * (rows - 1) / 2)}
    way = {item.name for item in ancestry(run)}
    lines: dict[bool, list[str]] = {False: [], True: []}
    marks: list[Markup] = []
    for number, column in enumerate(columns):
        spots = [(item, (x(number + 1), _TOP + gap * row)) for row, item in enumerate(column)]
        for item, spot in spots:
            if item.parent in places:
                lines[item.name in way].append(draw_path([places[item.parent], spot]))
            kind = "cross" if item.rejected else "diamond" if item.chosen else "dot"
            state = (
                "rejected"
                if item.rejected
                else "chosen"
                if item.chosen
                else "estimate"
                if is_dropped(item)
                else ""
            )
            class_ = f"dot {state}".strip()
            marks.append(mark(kind, *spot, class_=class_, name=item.name))
        for item, spot in spots:
            if item.rejected is None:
                places[item.prompt] = spot  # a prompt that came up again goes on from its latest place
    label = f"Tree of prompts over {len(run.steps)} steps; the way to the best prompt has {len(way)} changes."
    edges = [
        element("path", class_="edge" + (" way" if way_ else ""), d="".join(d))
        for way_, d in lines.items()
        if d
    ]
    root = mark("diamond", *places[run.initial_prompt], class_="dot chosen", name="initial")
    return drawing(WIDTH, bottom + 48, label, *edges, *marks, root, axis_bottom(x, bottom, "step"))
