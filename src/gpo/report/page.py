"""The page of one run: its parts as HTML, and the file that holds them all and opens offline."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from gpo.report import embed
from gpo.report.charts.curve import MOST_MARKED, draw_distances, draw_scores, is_dropped
from gpo.report.charts.paceplots import concurrency, tokens_by_step
from gpo.report.charts.tree import tree
from gpo.report.data import read_run
from gpo.report.details import collect_details
from gpo.report.exchanges import LEAST_PACKED, MOST_PAGE, pack_exchanges
from gpo.report.pace import read_pace
from gpo.report.sections.changes import build_changes
from gpo.report.sections.cost import describe_events, describe_usage, model_row, phase_rows
from gpo.report.sections.head import build_head
from gpo.report.sections.path import build_path
from gpo.report.sections.prompt import build_prompt
from gpo.report.sections.rerun import describe_rerun, show_config
from gpo.report.sections.score_table import describe_gap, difference, score_rows
from gpo.report.views import RunView, StepView
from gpo.result.wording import format_percent
from gpo.run.directory import RunDirectory
from gpo.storage.atomic_write import encode_text, write_atomically
from gpo.storage.journal_reader import JournalReader
from gpo.task.program.parts import show_parts


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
        parts, details = sections(run, reader), embed.pack(collect_details(run, reader))
        taken = sum(map(len, parts.values())) + len(details) + len(embed.style()) + len(embed.script())
        return render(
            "run.html",
            title=f"{run.name} · GPO",
            run=run,
            sections=parts,
            details=Markup(details),
            exchanges=pack_exchanges(run, reader, max(LEAST_PACKED, MOST_PAGE - taken)),
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
    made = Environment(
        loader=PackageLoader("gpo.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["show_parts"] = show_parts
    return made


def sections(run: RunView, reader: JournalReader) -> dict[str, str]:
    """The parts of the page that grow with the run, as HTML by name."""
    pace = read_pace(reader, run.first_steps(), run.config)
    moves = build_path(run, reader)
    table = {"scores": score_rows(run, reader), "difference": difference(run), "gap": describe_gap(run)}
    return {
        "head": _part("head", run, build_head(run, reader, pace)),
        "prompt": _part("prompt", run, build_prompt(run)),
        "changes": _part("changes", run, build_changes(run, reader), table),
        "path": _part(
            "path",
            run,
            moves,
            draw_scores(run),
            any(is_dropped(item) for step in run.steps for item in step.candidates),
            len(run.steps) > MOST_MARKED,
        ),
        "distances": _part(
            "distances",
            draw_distances(run),
            [_curve_row(step) for step in run.steps],
            any(step.part for step in run.steps),
        ),
        "tree": _part("tree", tree(run), len(moves)),
        "cost": _part(
            "cost",
            describe_usage(pace, run.seconds),
            [model_row(pace, role) for role in pace.roles],
            describe_events(run),
            concurrency(pace),
            tokens_by_step(pace),
            phase_rows(pace),
        ),
        "config": _part("config", describe_rerun(run), show_config(run)),
        "foot": escape(_foot(run)),
    }


def _part(name: str, *values: object) -> Markup:
    """The macro `show` of the template that is called `name`."""
    module: Any = environment().get_template(f"run/{name}.html").module
    return Markup(module.show(*values))


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
        step.part or dash,
    ]


def _foot(run: RunView) -> str:
    versions = run.result.versions if run.result else {}
    embedder = run.result.extra.get("embedder") if run.result else None
    told = [f"{name} {version}" for name, version in versions.items()]
    if embedder:
        told.append(f"embedder {embedder}")
    return " · ".join(["Made by GPO", *told])
