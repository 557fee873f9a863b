"""Runs side by side: grouped by configuration, curves over each other, any two of them on the same rows, their prompts
and what their configurations differ in, cost against accuracy (paper, Figure 1). Reads run directories."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from markupsafe import Markup

from gpo.errors import GPOError
from gpo.evaluation.statistics import Interval
from gpo.report.comparison.compared import Compared, Cost, read_compared
from gpo.report.comparison.differences import differing_keys
from gpo.report.comparison.groups import Group, group_runs, mean_and_spread
from gpo.report.comparison.pair import Pair, compare_pair, read_scored, turn
from gpo.report.comparison.plots import MOST_NAMED, NARROW, WIDE, draw_curves, draw_plane
from gpo.report.data import read_run
from gpo.report.embed import pack
from gpo.report.page import environment, render
from gpo.report.sections.head import name_standing
from gpo.report.views import RunView
from gpo.result.wording import format_dollars, format_duration, format_percent
from gpo.text import points

MOST_PAIRS, MOST_GRADED_PAIRS = 120, 15
"""How many pairs of runs a file holds; graded scores take half a second a pair."""
MOST_COLUMNS = 12
"""Configurations beside each other in the tables of prompts and of keys."""


def compare_html(directories: Mapping[str, Path], *, served: bool = False, strict: bool = True) -> str:
    """The page that compares the runs of `directories` (name to path), where it is not `strict` without those that
    cannot be read, one line for each. One that is `served` asks its server for the pairs of runs. Raises `RunError`."""
    runs: list[Compared] = []
    damaged: list[str] = []
    for name, path_ in directories.items():
        try:
            runs.append(read_compared(len(runs) + 1, name, path_))
        except GPOError as error:
            if strict:
                raise
            damaged.append(str(error))
        except Exception as error:
            if strict:
                raise
            damaged.append(f"{path_}: cannot be shown ({type(error).__name__})")
    groups = group_runs(runs)
    ordered = [item for group in groups for item in group.runs]
    chosen = _choose_pair(groups)
    pairs = {} if served or not chosen else dict(_compare_all(ordered))
    pair = None
    try:
        pair = _show_chosen(chosen, pairs)
    except GPOError as error:  # rows that only a pair needs are damaged
        if strict:
            raise
        damaged.append(str(error))
    shown = groups[:MOST_COLUMNS]
    return render(
        "compare.html",
        served=served,
        title="Runs compared · GPO",
        groups=groups,
        runs=ordered,
        damaged=damaged,
        rows=[row for group in groups for row in _rows(group)],
        curves=_both(draw_curves(groups, WIDE), draw_curves(groups, NARROW)) if groups else None,
        plane=_both(draw_plane(groups, WIDE), draw_plane(groups, NARROW)),
        unnamed=max(0, len(groups) - MOST_NAMED),
        chosen=[item.number for item in chosen],
        pair=pair,
        pairs=Markup(pack(pairs)),
        whole=served or len(pairs) == len(ordered) * (len(ordered) - 1),
        shown=shown,
        keys=differing_keys([{**group.runs[0].run.config, "seed": None} for group in shown]),
        columns=COLUMNS,
        numeric=NUMERIC,
        points=format_percent,
    )


def _both(wide: Markup | None, narrow: Markup | None) -> Markup | None:
    return wide + narrow if wide is not None and narrow is not None else None


def _choose_pair(groups: Sequence[Group]) -> list[Compared]:
    """The two runs whose difference stands there at first: of the first two configurations, of the first two seeds
    where there is one; none of a single run."""
    if len(groups) > 1:
        return [groups[0].runs[0], groups[1].runs[0]]
    return list(groups[0].runs[:2]) if groups and len(groups[0].runs) > 1 else []


def _show_chosen(chosen: Sequence[Compared], pairs: Mapping[str, str]) -> Markup | None:
    if len(chosen) < 2:
        return None
    first, second = chosen
    known = pairs.get(f"{first.number}-{second.number}")
    return Markup(known) if known is not None else show_pair(*((item.name, item.run) for item in chosen))


def show_pair(first: tuple[str, RunView], second: tuple[str, RunView]) -> Markup:
    """The second run against the first, each with its name, as HTML. Raises `RunError`."""
    return _render_pair(compare_pair(read_scored(*first), read_scored(*second)))


def read_pair(first: tuple[str, Path], second: tuple[str, Path]) -> Markup:
    """As `show_pair`, from run directories."""
    return show_pair(*((name, read_run(path)) for name, path in (first, second)))


def _render_pair(pair: Pair) -> Markup:
    module = environment().get_template("compare/pair.html").module
    return Markup(module.show(pair))  # type: ignore[attr-defined]


def _compare_all(runs: Sequence[Compared]) -> Iterator[tuple[str, str]]:
    """The pairs of `runs` in both directions by "NUMBER-NUMBER", as HTML: those with the first run first, as many as a
    file takes."""
    scored = [read_scored(item.name, item.run) for item in runs[: MOST_PAIRS + 1]]
    done = 0.0
    for one, other in combinations(range(len(scored)), 2):
        if done >= MOST_PAIRS:
            return
        pair = compare_pair(scored[one], scored[other])
        found = pair.comparison
        back = compare_pair(scored[other], scored[one], known=turn(found) if found else None)
        for (a, b), shown in {(one, other): pair, (other, one): back}.items():
            yield f"{runs[a].number}-{runs[b].number}", str(_render_pair(shown))
        done += MOST_PAIRS / MOST_GRADED_PAIRS if found and found.graded else 1


Row = tuple[Group, Compared | None, list[str]]
"""A line of the table: one run, or a group of several runs as a whole (None)."""
COLUMNS = (
    "method",
    "dev, initial → best",
    "held-out test",
    "gain on test",
    "verdict",
    "calls",
    "tokens",
    "dollars",
    "time",
    "steps",
    "seed",
    "task",
)
"""After number and name. Those in `NUMERIC` stand on the right."""
NUMERIC = frozenset({"calls", "tokens", "dollars", "time", "steps", "seed"})


def _rows(group: Group) -> list[Row]:
    if len(group.runs) == 1:
        return [(group, group.runs[0], _row(group.runs[0]))]
    inner = [
        (group, item, ["", *_row(item)[1:-1], ""]) for item in group.runs
    ]  # method and task stand above them
    return [(group, None, _sum_up(group)), *inner]


def _row(item: Compared) -> list[str]:
    run = item.run
    done = (
        f"{len(run.steps)} of {run.total}" if run.total and run.status != "complete" else str(len(run.steps))
    )
    return [
        run.method,
        _change(run.initial_dev, run.best_dev, item.dev),
        _change(item.initial_test, item.best_test, item.test),
        _gain_with_test(run),
        name_standing(run),
        _with_paid(
            item, lambda cost: " · ".join(f"{calls:,} {role}" for role, calls in _in_order(cost.roles))
        ),
        _with_paid(item, lambda cost: f"{cost.tokens:,}"),
        _with_paid(item, lambda cost: "unknown" if cost.usd is None else format_dollars(cost.usd)),
        format_duration(run.seconds),
        done,
        str(item.seed),
        run.task,
    ]


def _sum_up(group: Group) -> list[str]:
    """Mean ± standard deviation over the distinct seeds of the complete runs."""
    first = group.runs[0].run
    over = sum(item.is_complete for item in group.runs)
    seeds = len(group.seeds)
    told = f"{seeds} seed{'' if seeds == 1 else 's'}"
    return [
        first.method,
        _spread_change(group, lambda item: item.run.initial_dev, lambda item: item.run.best_dev),
        _spread_change(group, lambda item: item.initial_test, lambda item: item.best_test),
        _spread(group, _gain, signed=True),
        "" if over == len(group.runs) else f"{over} of {len(group.runs)} complete",
        "",
        "",
        "",
        "",
        "",
        told,
        first.task,
    ]


def _in_order(roles: Mapping[str, int]) -> list[tuple[str, int]]:
    """The task model first, as everywhere."""
    return sorted(roles.items(), key=lambda pair: (pair[0] != "task", pair[0] != "optimizer", pair[0]))


def _gain(item: Compared) -> float | None:
    return item.run.result.improvement.test if item.run.result else None


def _spread(group: Group, value: Callable[[Compared], float | None], *, signed: bool = False) -> str:
    known = group.by_seed(value)
    if found := mean_and_spread(known):
        return f"{points(found[0], signed=signed)} ± {points(found[1])}"
    return points(known[0], signed=signed) if known else "–"


def _spread_change(
    group: Group, before: Callable[[Compared], float | None], after: Callable[[Compared], float | None]
) -> str:
    told = _spread(group, before), _spread(group, after)
    return "–" if told == ("–", "–") else " → ".join(told)


def _change(before: float | None, after: float | None, interval: Interval | None) -> str:
    if before is None and after is None:
        return "–"
    span = f" ({points(interval.low)} to {points(interval.high)})" if interval else ""
    return f"{format_percent(before)} → {format_percent(after)}{span}"


def describe_gain(run: RunView) -> str:
    """Best minus initial prompt on test in points with the 95 % interval, a dash where it was not measured."""
    gain = run.result.improvement if run.result else None
    if gain is None or gain.test is None or gain.ci_low is None or gain.ci_high is None:
        return "–"
    interval_ = f"({points(gain.ci_low, signed=True)} to {points(gain.ci_high, signed=True)})"
    return f"{points(gain.test, signed=True)} {interval_}"


def _gain_with_test(run: RunView) -> str:
    p_value = run.result.improvement.p_value if run.result else None
    return describe_gain(run) + ("" if p_value is None else f", p = {p_value:.2g}")


def _with_paid(item: Compared, told: Callable[[Cost], str]) -> str:
    """What was asked for, with the paid part beside it where the store answered some of it."""
    whole, part = told(item.asked), told(item.paid)
    return whole if item.asked.calls == item.paid.calls else f"{whole} ({part} paid)"
