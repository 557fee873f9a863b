"""The page of one run: its parts as HTML, and the file that holds them all and opens offline."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gpo.report import embed
from gpo.report.charts.curve import curve
from gpo.report.charts.paceplots import concurrency, phase_name, tokens_by_step
from gpo.report.charts.tree import ancestry, tree
from gpo.report.data import RunView, StepView, read_run
from gpo.report.details import collect_details, name_prompts
from gpo.report.exchanges import pack_exchanges
from gpo.report.pace import Pace, PhaseUsage, read_pace
from gpo.report.scores import SPLITS, interval
from gpo.report.standing import describe_standing
from gpo.report.terminal import asked, reply_warnings
from gpo.result.word_diff import compare_words
from gpo.result.wording import format_dollars, format_duration, format_percent
from gpo.run.directory import RunDirectory
from gpo.storage.atomic_write import encode_text, write_atomically
from gpo.storage.journal_reader import JournalReader
from gpo.text import points

STATUS = {
    "running": "running",
    "complete": "complete",
    "budget": "stopped by its budget",
    "interrupted": "interrupted",
}


def write_report(run_dir: Path, out: Path | None = None) -> Path:
    """Write the report of the run in `run_dir` to `out`, `report.html` in the run directory if not given, and return
    its path. Raises `RunError` where there is no run or the file cannot be written."""
    path = out or run_dir / "report.html"
    write_atomically(path, encode_text(report_html(run_dir)), private=True)
    return path


def report_html(run_dir: Path) -> str:
    """The whole page with all its data. Raises `RunError`."""
    run = read_run(run_dir)
    with JournalReader(RunDirectory(run_dir).journal_path) as reader:
        return render(
            "run.html",
            title=f"{run.name} · GPO",
            run=run,
            sections=sections(run, reader),
            details=Markup(embed.pack(collect_details(run, reader))),
            exchanges=Markup(pack_exchanges(run, reader)),
        )


def render(template: str, *, live: str = "", served: bool = False, **values: Any) -> str:
    """A whole page; one that is `served` may ask its server, and follows the run called `live`."""
    return (
        environment()
        .get_template(template)
        .render(
            policy=embed.policy(live=served),
            style=embed.style(),
            script=embed.script(),
            live=live,
            served=served,
            **values,
        )
    )


@cache
def environment() -> Environment:
    """The templates, every value escaped."""
    return Environment(
        loader=PackageLoader("gpo.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def sections(run: RunView, reader: JournalReader) -> dict[str, str]:
    """The parts of the page that grow with the run, as HTML by name."""
    parts: Any = environment().get_template("parts.html").module
    pace = read_pace(reader, run.first_steps(), run.config)
    best_name = (
        name_prompts(run, [run.initial_prompt, run.best_prompt])[-1]
        if run.best_prompt != run.initial_prompt
        else "initial"
    )
    return {
        "head": parts.head(
            run,
            {"status": STATUS[run.status], "rows": _facts(run)},
            reply_warnings(run.result) if run.result else [],
        ),
        "result": parts.result(
            run,
            describe_standing(run),
            list(compare_words(run.initial_prompt, run.best_prompt)),
            _scores(run, reader),
            _difference(run),
            _cost(pace, run.seconds),
            best_name.removeprefix("best (").removesuffix(")"),
            asked(run.result) if run.result else [],
        ),
        "curve": parts.curve(run, curve(run), [_curve_row(step) for step in run.steps], _has_estimates(run)),
        "tree": parts.tree(tree(run), len(ancestry(run))),
        "cost": parts.cost(
            [_model_row(pace, role) for role in pace.roles],
            _events(run),
            None,
            concurrency(pace),
            tokens_by_step(pace),
            [
                [phase_name(phase), role, *_usage_cells(usage)]
                for phase, roles in pace.phases
                for role, usage in roles.items()
            ],
        ),
        "foot": _foot(run),
    }


def _facts(run: RunView) -> list[tuple[str, object]]:
    models = run.config.get("models") or {}
    names_ = {role: str((models.get(role) or {}).get("model", "")) for role in ("task", "optimizer", "judge")}
    steps = (
        f"{len(run.steps)} of {run.total}" if run.total and run.status != "complete" else str(len(run.steps))
    )
    facts: list[tuple[str, object]] = [
        ("task", run.task),
        ("method", run.method),
        ("task model", names_["task"]),
        ("optimizer", names_["optimizer"]),
        ("judge", names_["judge"]),
        ("seed", run.config.get("seed", 0)),
        ("steps", steps),
    ]
    return [(name, value) for name, value in facts if value != ""]


def _scores(run: RunView, reader: JournalReader) -> list[tuple[str, list[tuple[str, str]]]]:
    rows = []
    for name, prompt, dev in (
        ("initial", run.initial_prompt, run.initial_dev),
        ("best", run.best_prompt, run.best_dev),
    ):
        own = getattr(run.result.scores, name) if run.result else None
        cells = []
        for split in SPLITS:
            found = interval(reader, prompt, split) if split == "dev" or run.status == "complete" else None
            mean = dev if split == "dev" else own.test if own else None
            text = (
                f"{format_percent(found.low)} to {format_percent(found.high)}"
                if found and mean is not None
                else ""
            )
            cells.append((format_percent(mean), text))
        rows.append((name, cells))
    return rows


def _difference(run: RunView) -> dict[str, str] | None:
    gain = run.result.improvement if run.result else None
    if gain is None or gain.test is None or run.best_prompt == run.initial_prompt:
        return None
    span = ""
    if gain.ci_low is not None and gain.ci_high is not None:
        span = f"{points(gain.ci_low, signed=True)} to {points(gain.ci_high, signed=True)}"
    return {
        "value": points(gain.test, signed=True),
        "interval": span,
        "p": "" if gain.p_value is None else f"{gain.p_value:.2g}",
    }


def _cost(pace: Pace, seconds: float) -> str:
    parts = [f"{usage.tally.calls:,} {role} calls" for role, usage in pace.roles.items()]
    if stored := sum(usage.tally.cached for usage in pace.roles.values()):
        parts.append(f"{stored:,} answered by the store")
    parts.append(f"{sum(usage.tokens for usage in pace.roles.values()):,} tokens")
    costs = [usage.usd for usage in pace.roles.values()]
    parts.append(format_dollars(None if None in costs else sum(cost for cost in costs if cost is not None)))
    return " · ".join([*parts, format_duration(seconds)])


def _curve_row(step: StepView) -> Sequence[object]:
    rejected = sum(item.rejected is not None for item in step.candidates)
    dash = "–"
    return [
        step.number + 1,
        format_percent(step.chosen_score),
        format_percent(step.best_score),
        dash if step.limit is None else step.limit,
        dash if step.distance is None else step.distance,
        sum(not (item.score is None and item.estimate is None) for item in step.candidates),
        rejected,
    ]


def _has_estimates(run: RunView) -> bool:
    return any(item.score is None and item.estimate is not None for s in run.steps for item in s.candidates)


def _model_row(pace: Pace, role: str) -> list[str]:
    median, late = pace.seconds_per_call.get(role, (None, None))
    times = ["–" if value is None else f"{value:.2f}" for value in (median, late)]
    return [f"{pace.models[role]} ({role})", *_usage_cells(pace.roles[role]), *times]


def _usage_cells(usage: PhaseUsage) -> list[str]:
    tally = usage.tally
    share = usage.cached_share
    return [
        f"{tally.calls:,}",
        f"{tally.cached:,}",
        f"{tally.prompt_tokens:,}",
        "–" if share is None else f"{100 * share:.0f} %",
        f"{tally.completion_tokens:,}",
        "unknown" if usage.usd is None else format_dollars(usage.usd),
    ]


def _events(run: RunView) -> str:
    parts = [f"{run.retries:,} calls were tried again." if run.retries else "No call was tried again."]
    if run.failures:
        calls = "1 call" if len(run.failures) == 1 else f"{len(run.failures):,} calls"
        parts.append(f"{calls} failed; the last one: {run.failures[-1]}")
    else:
        parts.append("No call failed.")
    return " ".join(parts)


def _foot(run: RunView) -> str:
    versions = run.result.versions if run.result else {}
    embedder = run.result.extra.get("embedder") if run.result else None
    told = [f"{name} {version}" for name, version in versions.items()]
    if embedder:
        told.append(f"embedder {embedder}")
    return " · ".join(["Made by GPO", *told])
