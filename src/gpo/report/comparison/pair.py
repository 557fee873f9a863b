"""Two runs against each other: the paired difference of their best prompts on the rows that both were scored on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gpo.evaluation.statistics import Comparison, Verdict, compare, wilson
from gpo.report.charts.intervals import IntervalRow, draw_intervals
from gpo.report.comparison.differences import differing_keys
from gpo.report.sections.head import SPLIT_NAMES, name_metric
from gpo.report.views import RunView
from gpo.result.folding import Part, fold_sides
from gpo.result.part_changes import match_parts
from gpo.result.verdict import VERDICT_NAMES, describe_certainty, format_gain
from gpo.run.directory import RunDirectory
from gpo.run.journal_writer import SPLIT_LEVEL, prompt_id, split_questions
from gpo.storage.journal_reader import JournalReader

Row = tuple[str, ...]
"""What makes a row the same in two runs: question, expected answer, and the how-manieth of equal ones."""
_TONES = {Verdict.BETTER: "good", Verdict.WORSE: "bad"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The second run against the first. `comparison` is None where they cannot be compared row by row, `sentence` then
    says why. `prompts` are their best prompts with what differs, side by side, each with its name ("" where they have
    one each); `differing` are the keys of the configuration that differ, with both values."""

    first: str
    second: str
    word: str
    tone: str
    sentence: str
    drawing: Markup | None
    higher: int
    lower: int
    comparison: Comparison | None
    same_prompt: bool
    prompts: list[tuple[str, list[Part], list[Part]]]
    differing: list[tuple[str, list[str]]]

    @property
    def gain(self) -> str:
        """The difference in points, "" where there is none."""
        return format_gain(self.comparison.mean) if self.comparison else ""


@dataclass(frozen=True, slots=True)
class Scored:
    """One run with the values (0..1) of its best prompt by row, of each split on which it may be compared."""

    name: str
    run: RunView
    rows: Mapping[str, Mapping[Row, float]]
    split_level: bool


def read_scored(name: str, run: RunView) -> Scored:
    """The rows of `run`. Raises `RunError`."""
    with JournalReader(RunDirectory(run.path).journal_path) as reader:
        splits = ("test", "dev") if run.status == "complete" else ("dev",)
        rows = {split: _read_rows(reader, run.best_prompt, split) for split in splits}
        return Scored(name, run, rows, bool(reader.get_meta(SPLIT_LEVEL)))


def _read_rows(reader: JournalReader, prompt: str, split: str) -> dict[Row, float]:
    known = split_questions(reader, split)
    values = {
        score.example_id: score.value
        for score in reader.scores(prompt_id(prompt), split)
        if score.value is not None
    }
    seen: Counter[Row] = Counter()
    rows = {}
    for example_id in known:  # in the order of the data, so that equal rows are counted alike in both runs
        text = tuple(map(str, known[example_id]))
        seen[text] += 1
        if example_id in values:
            rows[(*text, str(seen[text]))] = values[example_id]
    return rows


def compare_pair(first: Scored, second: Scored, *, known: Comparison | None = None) -> Pair:
    """The best prompt of `second` minus that of `first`. A `known` comparison is not computed again."""
    trouble, split, rows = _find_rows(first, second)
    found, drawing, higher, lower = None, None, 0, 0
    if trouble:
        word, tone, sentence = "Not comparable", "plain", trouble
    else:
        before = [first.rows[split][row] for row in rows]
        after = [second.rows[split][row] for row in rows]
        found = known or compare(before, after, seed=int(first.run.config.get("seed") or 0))
        word, tone, sentence = _judge(first, second, split, found)
        higher = sum(b > a for a, b in zip(before, after, strict=True))
        lower = sum(b < a for a, b in zip(before, after, strict=True))
        drawing = _draw(before, after, split)
    parts = match_parts(first.run.best_prompt, second.run.best_prompt)
    return Pair(
        first=first.name,
        second=second.name,
        word=word,
        tone=tone,
        sentence=sentence,
        drawing=drawing,
        higher=higher,
        lower=lower,
        comparison=found,
        same_prompt=first.run.best_prompt == second.run.best_prompt,
        prompts=[(part.name, *fold_sides(part.pieces())) for part in parts],
        differing=differing_keys([first.run.config, second.run.config]),
    )


def turn(comparison: Comparison) -> Comparison:
    """The same comparison from the other side."""
    return Comparison(
        -comparison.mean,
        -comparison.high,
        -comparison.low,
        comparison.p_value,
        comparison.rows,
        comparison.graded,
    )


def _find_rows(first: Scored, second: Scored) -> tuple[str, str, list[Row]]:
    """Why there is no comparison ("" where there is one), the split that both were scored on, and its rows."""
    if first.split_level or second.split_level:
        return "Their metric is one of the whole split: there is no difference row by row.", "", []
    metrics = [name_metric(item.run) for item in (first, second)]
    if all(metrics) and metrics[0] != metrics[1]:
        return f"They were scored by different metrics: {metrics[0]} and {metrics[1]}.", "", []
    for split in first.rows:
        if split in second.rows:
            theirs = second.rows[split]
            if rows := [row for row in first.rows[split] if row in theirs]:
                return "", split, rows
    return "They have no scored row in common: they ran on other data.", "", []


def _judge(first: Scored, second: Scored, split: str, found: Comparison) -> tuple[str, str, str]:
    """The verdict in a word, its tone, and a sentence."""
    told = f"{format_gain(found.mean)} points"
    most = max(len(first.rows[split]), len(second.rows[split]))
    rows = f"{found.rows:,}" + (f" of {most:,}" if found.rows < most else "")
    certainty = describe_certainty(found.low, found.high, found.p_value)
    if split == "dev":
        return (
            "Not tested",
            "plain",
            f"{told} on {rows} dev rows ({certainty}). Both prompts were chosen by their dev scores: only the "
            "held-out test set would show which is better.",
        )
    verdict = found.verdict
    head = {
        Verdict.BETTER: f"{second.name} is better than {first.name}",
        Verdict.WORSE: f"{second.name} is worse than {first.name}",
    }.get(verdict, "Not shown that either is better")
    noise = "" if verdict in _TONES else ", within noise"
    return (
        VERDICT_NAMES[verdict],
        _TONES.get(verdict, "plain"),
        f"{head}: {told} on {rows} rows of the held-out test set{noise} ({certainty}).",
    )


def _draw(before: Sequence[float], after: Sequence[float], split: str) -> Markup:
    rows = [
        IntervalRow(name, sum(values) / len(values), wilson(values))
        for name, values in (("first", before), ("second", after))
    ]
    return draw_intervals(rows, SPLIT_NAMES[split])
