"""The head of a run's page: one word, the two scores with their intervals, the facts, and how far a live run is."""

from __future__ import annotations

import time
from dataclasses import dataclass

from markupsafe import Markup

from gpo.report.charts.intervals import IntervalRow, draw_intervals
from gpo.report.pace import Pace
from gpo.report.scores import SPLITS, interval
from gpo.report.standing import describe_standing
from gpo.report.views import RunView
from gpo.result.verdict import name_verdict, warn_of_few_rows
from gpo.result.wording import format_dollars, format_duration, format_percent
from gpo.run.journal_writer import split_questions
from gpo.storage.journal_reader import JournalReader

_TONES = {"Better": "good", "Worse": "bad", "Nothing readable": "bad", "Running": "good"}
SPLIT_NAMES = {"dev": "dev", "test": "held-out test"}
_RECENT = 60.0
"""Seconds over which the rate of calls is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ongoing:
    """How far a live run is: steps `done` of `total`, calls a second of the last minute, and about how long it takes
    still; texts for people."""

    done: int
    total: int | None
    rate: str
    left: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """`before` and `after` are points, "" where there is nothing to compare with; `warnings` lead the page, `notes`
    are the lesser ones."""

    word: str
    tone: str
    before: str
    after: str
    where: str
    drawing: Markup | None
    sentence: str
    facts: list[tuple[str, str]]
    warnings: list[str]
    notes: list[str]
    ongoing: Ongoing | None


def build_head(run: RunView, reader: JournalReader, pace: Pace) -> Head:
    """All that stands above the first section."""
    word = name_standing(run)
    split, before, after = _headline(run)
    warnings = list(run.reply_warnings)
    if run.result and (few := warn_of_few_rows(run.result)):
        warnings.append(few)
    return Head(
        word=word,
        tone=_TONES.get(word, "plain"),
        before="" if before is None else format_percent(before),
        after="" if after is None else format_percent(after),
        where=f"on {SPLIT_NAMES[split]}" + ("" if split == "test" else ", which the search itself uses"),
        drawing=_draw(run, reader, split, before, after),
        sentence=describe_standing(run),
        facts=_facts(run, reader, pace),
        warnings=warnings,
        notes=[note for note in run.notes if note not in warnings],
        ongoing=_measure_progress(run, pace) if run.status == "running" else None,
    )


def name_standing(run: RunView) -> str:
    """The verdict of a run in a word or two, or that it goes on or was interrupted."""
    if run.result is not None:
        return name_verdict(run.result)
    return "Running" if run.status == "running" else "Interrupted"


def _headline(run: RunView) -> tuple[str, float | None, float | None]:
    """The split that decides, and the scores of the initial prompt (None where it is the best one) and the best."""
    unchanged = run.best_prompt == run.initial_prompt
    scores = run.result.scores if run.result and run.status == "complete" else None
    if scores and scores.best.test is not None:
        return "test", None if unchanged else scores.initial.test, scores.best.test
    return "dev", None if unchanged else run.initial_dev, run.best_dev


def _draw(
    run: RunView, reader: JournalReader, split: str, before: float | None, after: float | None
) -> Markup | None:
    rows = [
        IntervalRow(name, mean, interval(reader, prompt, split))
        for name, prompt, mean in (
            ("initial", run.initial_prompt, before),
            ("best", run.best_prompt, after),
        )
        if mean is not None
    ]
    return draw_intervals(rows, SPLIT_NAMES[split]) if rows else None


def _facts(run: RunView, reader: JournalReader, pace: Pace) -> list[tuple[str, str]]:
    models = run.config.get("models") or {}
    names = {role: str((models.get(role) or {}).get("model", "")) for role in ("task", "optimizer", "judge")}
    left = f" of {run.total}" if run.total and run.status != "complete" else ""
    facts = [
        ("started", time.strftime("%Y-%m-%d %H:%M", time.localtime(run.started)) if run.started else ""),
        ("took", format_duration(run.seconds)),
        ("cost", format_dollars(pace.usd).removeprefix("cost ")),
        ("rows", _count_rows(run, reader)),
        ("metric", name_metric(run)),
        ("task", run.task),
        ("task model", names["task"]),
        ("optimizer", names["optimizer"]),
        ("judge", names["judge"]),
        ("method", run.method),
        ("steps", f"{len(run.steps)}{left}"),
        ("seed", str(run.config.get("seed", 0))),
    ]
    return [(name, value) for name, value in facts if value]


def _count_rows(run: RunView, reader: JournalReader) -> str:
    """Rows by split: what the result says, else what the journal knows of the scored splits."""
    told = run.result.extra.get("rows") if run.result else None
    counts = {name: (told or {}).get(name) for name in ("train", *SPLITS)}
    if not any(counts.values()):
        counts = {name: len(split_questions(reader, name)) for name in SPLITS}
    return " · ".join(f"{count:,} {SPLIT_NAMES.get(name, name)}" for name, count in counts.items() if count)


def name_metric(run: RunView) -> str:
    """The metric of a run as its result calls it, else as its configuration does."""
    reading = run.result.extra.get("reading") if run.result else None
    name = (reading or {}).get("metric") if isinstance(reading, dict) else None
    name = name or (run.config.get("task") or {}).get("metric") or ""
    return str(name).replace("_", " ")


def _measure_progress(run: RunView, pace: Pace) -> Ongoing:
    since = time.time() - _RECENT
    recent = sum(at >= since for at in pace.sent)
    span = min(_RECENT, max(run.seconds, 1.0))
    done, total = len(run.steps), run.total
    left = ""
    if done and total and total > done:
        # A mean over finished steps; the initial prompt's own scoring counts as one more.
        left = f"about {format_duration(run.seconds / (done + 1) * (total - done))} left for the search"
    rate = recent / span
    told = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
    return Ongoing(done=done, total=total, rate=f"{told} calls a second", left=left)
