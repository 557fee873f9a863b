"""Runs side by side: curves over each other, a table with intervals, means over seeds, cost against accuracy (paper,
Figure 1). Reads run directories."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev

from gpo.config.models import Price
from gpo.errors import GPOError
from gpo.evaluation.statistics import Interval
from gpo.model.prices import cost, recorded_price
from gpo.model.tally import Tally
from gpo.report.comparison.compared import Compared, Cost
from gpo.report.comparison.plots import draw_curves, draw_plane
from gpo.report.data import RunView, read_run
from gpo.report.page import STATUS, render
from gpo.report.scores import interval
from gpo.result.wording import format_dollars, format_duration, format_percent
from gpo.run.directory import RunDirectory
from gpo.storage.journal_reader import JournalReader
from gpo.text import points

_PACE = (
    "api_key_env",
    "concurrency",
    "requests_per_minute",
    "tokens_per_minute",
    "timeout",
    "retries",
    "retry_delay",
)


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
        curves=draw_curves(runs),
        plane=draw_plane(runs),
    )


def _read(number: int, name: str, directory: Path) -> Compared:
    run = read_run(directory)
    with JournalReader(RunDirectory(directory).journal_path) as reader:
        totals = reader.totals()
        dev = interval(reader, run.best_prompt, "dev")
        test = interval(reader, run.best_prompt, "test") if run.status == "complete" else None
    asked, paid = sum_costs(totals, run)
    return Compared(number=number, name=name, run=run, dev=dev, test=test, asked=asked, paid=paid)


def sum_costs(totals: Mapping[str, Tally], run: RunView) -> tuple[Cost, Cost]:
    """What was asked for, and the paid part of it."""
    models = run.config.get("models") or {}
    prices = {role: recorded_price(models.get(role)) for role in totals}
    everything = {role: tally.asked() for role, tally in totals.items()}
    return _cost(everything, prices), _cost(totals, prices)


def _cost(totals: Mapping[str, Tally], prices: Mapping[str, Price | None]) -> Cost:
    dollars_ = [cost(tally, prices[role]) if tally.calls else 0.0 for role, tally in totals.items()]
    return Cost(
        calls=sum(tally.calls for tally in totals.values()),
        tokens=sum(tally.prompt_tokens + tally.completion_tokens for tally in totals.values()),
        usd=None if None in dollars_ else sum(value for value in dollars_ if value is not None),
    )


def _row(item: Compared) -> list[str]:
    run = item.run
    return [
        run.method,
        format_percent(run.initial_dev),
        _with_interval(item.dev),
        _with_interval(item.test),
        describe_gain(run),
        _with_paid(item, lambda cost: f"{cost.calls:,}"),
        _with_paid(item, lambda cost: f"{cost.tokens:,}"),
        _with_paid(item, lambda cost: "unknown" if cost.usd is None else format_dollars(cost.usd)),
        format_duration(run.seconds),
        str(len(run.steps)),
        str(run.config.get("seed", 0)),
        STATUS[run.status],
        run.task,
    ]


def describe_gain(run: RunView) -> str:
    """Best minus initial prompt on test in points with the 95 % interval, a dash where it was not measured."""
    gain = run.result.improvement if run.result else None
    if gain is None or gain.test is None or gain.ci_low is None or gain.ci_high is None:
        return "–"
    interval_ = f"({points(gain.ci_low, signed=True)} to {points(gain.ci_high, signed=True)})"
    return f"{points(gain.test, signed=True)} {interval_}"


def _with_paid(item: Compared, told: Callable[[Cost], str]) -> str:
    """What was asked for, with the paid part beside it where the store answered some of it."""
    whole, part = told(item.asked), told(item.paid)
    return whole if item.asked.calls == item.paid.calls else f"{whole} ({part} paid)"


def _with_interval(score: Interval | None) -> str:
    return (
        "–"
        if score is None
        else f"{format_percent(score.mean)} ({format_percent(score.low)} to {format_percent(score.high)})"
    )


def _groups(runs: Sequence[Compared]) -> list[list[str]]:
    """Mean ± standard deviation over distinct seeds of complete runs that differ in nothing else: same configuration,
    same data. A seed that was run twice counts once, with the mean of its runs."""
    found: dict[str, list[Compared]] = {}
    for item in runs:
        if item.run.status == "complete":
            found.setdefault(_setting(item.run), []).append(item)
    rows = []
    for items in found.values():
        seeds: dict[object, list[Compared]] = {}
        for item in items:
            seeds.setdefault(item.run.config.get("seed", 0), []).append(item)
        if len(seeds) > 1:
            tests = [_mean(item.test for item in same) for same in seeds.values()]
            devs = [_mean(item.dev for item in same) for same in seeds.values()]
            numbers = ", ".join(str(item.number) for item in items)
            first = items[0].run
            rows.append([first.task, first.method, numbers, str(len(seeds)), _spread(devs), _spread(tests)])
    return rows


def _setting(run: RunView) -> str:
    """What must be equal for two runs to differ by chance alone: all of the configuration but the seed, which holds
    the digest of the data. How fast calls were made, or how a role was reached, is left out."""
    config = {key: value for key, value in run.config.items() if key != "seed"}
    models = config.get("models")
    if isinstance(models, Mapping):
        config["models"] = {
            role: {key: value for key, value in own.items() if key not in _PACE}
            for role, own in models.items()
            if isinstance(own, Mapping)
        }
    return json.dumps(config, sort_keys=True, default=str)


def _mean(scores: Iterable[Interval | None]) -> float | None:
    known = [score.mean for score in scores if score is not None]
    return mean(known) if known else None


def _spread(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return "–" if len(known) < 2 else f"{points(mean(known))} ± {points(stdev(known))}"
