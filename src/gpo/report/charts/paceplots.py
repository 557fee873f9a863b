"""Pictures of cost and pace: calls under way over time, tokens by step."""

from __future__ import annotations

from markupsafe import Markup

from gpo.report.charts.curve import WIDTH
from gpo.report.charts.svg import Scale, axis_bottom, axis_left, draw_path, drawing, element
from gpo.report.pace import ROLES, Pace, Phase

_LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 72, 748, 34, 190, 240


def concurrency(pace: Pace) -> Markup | None:
    """Calls under way over working time; None where no call was sent."""
    values = pace.concurrency
    if not values or not max(values):
        return None
    total = pace.bin_seconds * len(values)
    factor, unit = (1, "seconds") if total < 180 else (60, "minutes") if total < 10800 else (3600, "hours")
    x = Scale(0, total / factor, _LEFT, _RIGHT)
    y = Scale(0, max(values) * 1.05, _BOTTOM, _TOP)
    corners = [(x.start, y.start)]
    for index, value in enumerate(values):
        low, high = (x((index + edge) * pace.bin_seconds / factor) for edge in (0, 1))
        corners += [(low, y(value)), (high, y(value))]
    corners.append((x.end, y.start))
    resumed = [
        element("line", class_="resumed", x1=x(at / factor), x2=x(at / factor), y1=_TOP, y2=_BOTTOM)
        for at in pace.resumed
    ]
    label = (
        f"Calls under way over {total / factor:.3g} {unit}, at most {max(values):.1f} on average of a moment."
    )
    title = f"{unit} of work" + (", dashed: the run was continued" if resumed else "")
    return drawing(
        WIDTH,
        _HEIGHT,
        label,
        axis_left(y, _LEFT, _RIGHT, "calls under way"),
        element("path", class_="area", d=draw_path(corners) + "Z"),
        *resumed,
        axis_bottom(x, _BOTTOM, title, whole=False),
    )


def tokens_by_step(pace: Pace) -> Markup | None:
    """Tokens of both models by step, stacked; None where no tokens were counted."""
    sums = [sum(usage.tokens for usage in roles.values()) for _, roles in pace.phases]
    if not sums or not max(sums):
        return None
    x = Scale(0, len(sums), _LEFT, _RIGHT)
    y = Scale(0, max(sums) * 1.02, _BOTTOM, _TOP)
    width = (x.end - x.start) / len(sums)
    bars: list[Markup] = []
    for index, (_, roles) in enumerate(pace.phases):
        base = 0
        for role in ROLES:
            tokens = roles[role].tokens if role in roles else 0
            top, bottom = y(base + tokens), y(base)
            gap = min(2.0, width * 0.2)
            bars.append(
                element(
                    "rect", class_=f"bar-{role}", x=x(index), y=top, width=width - gap, height=bottom - top
                )
            )
            base += tokens
    labels = [
        element(
            "text",
            phase_name(phase, short=True),
            class_="tick",
            x=x(index + 0.5),
            y=_BOTTOM + 18,
            text_anchor="middle",
        )
        for index, (phase, _) in enumerate(pace.phases)
        if _is_labelled(index, len(sums))
    ]
    label = f"Tokens by step, {max(sums):,} at most. The table of usage by step has the numbers."
    title = element(
        "text",
        "step (0: the initial prompt, T: test)",
        class_="axis",
        x=(_LEFT + _RIGHT) / 2,
        y=_BOTTOM + 40,
        text_anchor="middle",
    )
    return drawing(
        WIDTH, _HEIGHT, label, axis_left(y, _LEFT, _RIGHT, "tokens", whole=True), *bars, *labels, title
    )


def phase_name(phase: Phase, *, short: bool = False) -> str:
    """What a step or a part around the steps is called."""
    if isinstance(phase, int):
        return str(phase + 1)
    return (
        {"initial": "0", "test": "T"}[phase]
        if short
        else {"initial": "initial prompt", "test": "test split"}[phase]
    )


def _is_labelled(index: int, count: int) -> bool:
    every = max(1, -(-count // 8))
    return index == count - 1 or (index % every == 0 and count - 1 - index >= every * 0.6)
