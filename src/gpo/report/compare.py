"""Runs side by side: curves over each other, a table with intervals, means over seeds, cost against accuracy (paper,
Figure 1). Reads run directories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from markupsafe import Markup

from gpo.errors import GPOError
from gpo.evaluation.statistics import Interval
from gpo.report.curve import WIDTH, score_scale
from gpo.report.data import RunView, read_run
from gpo.report.page import STATUS, render
from gpo.report.scores import interval
from gpo.report.svg import Scale, axis_bottom, axis_left, draw_path, drawing, element, steps
from gpo.result.wording import format_dollars, format_duration, format_percent
from gpo.run.directory import RunDirectory
from gpo.storage.journal_reader import JournalReader

_LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 62, 716, 34, 300, 350
_COLOURS, _DASHES = 8, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One run of a comparison. `number` counts from 1 and names it in the pictures; scores are shares in 0..1."""

    number: int
    name: str
    run: RunView
    dev: Interval | None
    test: Interval | None
    calls: int
    tokens: int
    usd: float | None

    @property
    def series(self) -> str:
        """The classes of its line: a colour, and a dash pattern that tells it apart without."""
        place = self.number - 1
        return f"series s{place % _COLOURS} d{(place // 2) % _DASHES}"

    @property
    def accuracy(self) -> float | None:
        """The best prompt's test score, or its dev score where test was not evaluated."""
        score = self.test or self.dev
        return score.mean if score else None


def compare_html(directories: Mapping[str, Path], *, served: bool = False, strict: bool = True) -> str:
    """The page that compares the runs of `directories` (name to path), where it is not `strict` without those that
    cannot be read, one line for each. Raises `RunError`."""
    runs: list[Compared] = []
    damaged: list[str] = []
    for name, path_ in directories.items():
        try:
            runs.append(_read(len(runs) + 1, name, path_))
        except GPOError as error:
            if strict:
                raise
            damaged.append(str(error))
        except Exception as error:
            if strict:
                raise
            damaged.append(f"{path_}: cannot be shown ({type(error).__name__})")
    return render(
        "compare.html",
        served=served,
        title="Runs compared · GPO",
        runs=runs,
        damaged=damaged,
        rows=[_row(item) for item in runs],
        groups=_groups(runs),
        curves=_curves(runs),
        plane=_plane(runs),
    )


def _read(number: int, name: str, directory: Path) -> Compared:
    run = read_run(directory)
    with JournalReader(RunDirectory(directory).journal_path) as reader:
        totals = reader.totals()
        dev = interval(reader, run.best_prompt, "dev")
        test = interval(reader, run.best_prompt, "test") if run.status == "complete" else None
    usage = (run.result.usage.task, run.result.usage.optimizer) if run.result else ()
    costs = [role.usd for role in usage] or [None]
    return Compared(
        number=number,
        name=name,
        run=run,
        dev=dev,
        test=test,
        calls=sum(tally.calls for tally in totals.values()),
        tokens=sum(tally.prompt_tokens + tally.completion_tokens for tally in totals.values()),
        usd=None if None in costs else sum(cost for cost in costs if cost is not None),
    )


def _row(item: Compared) -> list[str]:
    run, gain = item.run, item.run.result.improvement if item.run.result else None
    change = ""
    if gain and gain.test is not None and gain.ci_low is not None and gain.ci_high is not None:
        change = f"{100 * gain.test:+.1f} ({100 * gain.ci_low:+.1f} to {100 * gain.ci_high:+.1f})"
    return [
        run.method,
        format_percent(run.initial_dev),
        _with_interval(item.dev),
        _with_interval(item.test),
        change or "–",
        f"{item.calls:,}",
        f"{item.tokens:,}",
        "unknown" if item.usd is None else format_dollars(item.usd),
        format_duration(run.seconds),
        str(len(run.steps)),
        str(run.config.get("seed", 0)),
        STATUS[run.status],
        run.task,
    ]


def _with_interval(score: Interval | None) -> str:
    return (
        "–"
        if score is None
        else f"{format_percent(score.mean)} ({format_percent(score.low)} to {format_percent(score.high)})"
    )


def _groups(runs: Sequence[Compared]) -> list[list[str]]:
    """Mean ± standard deviation over the seeds of a task and method, where there are several complete ones."""
    found: dict[tuple[str, str], list[Compared]] = {}
    for item in runs:
        if item.run.status == "complete":
            found.setdefault((item.run.task, item.run.method), []).append(item)
    rows = []
    for (task, method), items in found.items():
        tests = [item.test.mean for item in items if item.test]
        devs = [item.dev.mean for item in items if item.dev]
        if len(items) > 1:
            rows.append([task, method, str(len(items)), _spread(devs), _spread(tests)])
    return rows


def _spread(values: Sequence[float]) -> str:
    return "–" if len(values) < 2 else f"{100 * mean(values):.1f} ± {100 * stdev(values):.1f}"


def _curves(runs: Sequence[Compared]) -> Markup:
    lines = {item.number: _line(item.run) for item in runs}
    values = [value for line in lines.values() for _, value in line]
    x = Scale(0, max((at for line in lines.values() for at, _ in line), default=1) or 1, _LEFT, _RIGHT)
    y = score_scale(values, _BOTTOM, _TOP)
    parts: list[Markup] = []
    ends: list[tuple[float, float, Compared]] = []
    for item in runs:
        if line := lines[item.number]:
            aside = (
                2.4 * (item.number - (len(runs) + 1) / 2) * min(1.0, 8 / len(runs))
            )  # equal lines stay visible
            corners = steps([(x(at), y(100 * value) + aside) for at, value in line])
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
    """The numbers at points, those of points that are close beside each other."""
    taken: dict[tuple[int, int], int] = {}
    labels = []
    for x, y, item in ends:
        spot = next(
            (known for known in taken if abs(known[0] - x) < 24 and abs(known[1] - y) < 12),
            (round(x), round(y)),
        )
        shift = taken.get(spot, 0)
        taken[spot] = shift + 14 + 7 * (len(str(item.number)) - 1)
        labels.append(element("text", str(item.number), class_="name", x=x + 5 + shift, y=y + 4))
    return labels


def _plane(runs: Sequence[Compared]) -> Markup | None:
    """Cost against accuracy: dollars where all are known, else tokens, else calls."""
    dots = [item for item in runs if item.accuracy is not None]
    if not dots:
        return None
    if all(item.usd for item in dots):
        title, costs = "dollars", [float(item.usd or 0) for item in dots]
    elif all(item.tokens for item in dots):
        title, costs = "tokens", [float(item.tokens) for item in dots]
    else:
        title, costs = "calls", [float(item.calls) for item in dots]
    x = Scale(0, max(costs) * 1.08 or 1.0, _LEFT, _RIGHT)
    bounds = [bound for item in dots for bound in _bounds(item)]
    y = score_scale(bounds, _BOTTOM, _TOP)
    parts = []
    places: list[tuple[float, float, Compared]] = []
    for item, cost in zip(dots, costs, strict=True):
        low, high = _bounds(item)
        at, middle = x(cost), y(100 * (item.accuracy or 0.0))
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
        axis_bottom(x, _BOTTOM, title, whole=title != "dollars"),
    )


def _bounds(item: Compared) -> tuple[float, float]:
    score = item.test or item.dev
    return (score.low, score.high) if score else (0.0, 0.0)
