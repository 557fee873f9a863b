"""What stands on a terminal of 60, 80 and 200 columns: no line is longer, no word is broken."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

import gpo
from gpo.model.model import Message
from gpo.optimizer.parts.trajectory import Shown
from gpo.optimizer.search import ScoredCandidate, StepRecord
from gpo.optimizer.state import Information
from gpo.report.progress import terminal
from gpo.report.progress.step_line import cut_at_word, describe_step
from gpo.report.terminal import show
from gpo.result.result import Improvement, Result, RoleUsage, RunUsage, Scores, SplitScores
from gpo.result.verdict import describe_verdict
from gpo.run.progress import Progress
from gpo.run.watcher import Watcher
from gpo.suites.tables.report import show as show_table
from tests.cli.gpo import gpo as call
from tests.report.support import rewrite, solve, sums
from tests.suites.tables import slot, table

WIDTHS = pytest.mark.parametrize("width", [60, 80, 200])
WORDS = [f"word{number:03d}" for number in range(150)]
CHANGED = [*WORDS[:70], "entirely", "reconsidered", *WORDS[71:]]
RESULT = Result(
    status="complete",
    initial_prompt=" ".join(WORDS),
    best_prompt=" ".join(CHANGED),
    scores=Scores(initial=SplitScores(dev=0.25, test=0.25), best=SplitScores(dev=0.95, test=0.9)),
    improvement=Improvement(test=0.65, ci_low=0.5, ci_high=0.7, p_value=1e-9, verdict="better", rows=100),
    steps=tuple({"step": number, "best_dev": min(0.95, 0.25 + number / 50)} for number in range(60)),
    usage=RunUsage(task=RoleUsage(calls=12_345, cached=678)),
    extra={"reply_warnings": ["dev: 40 of 100 replies could not be read as a number; " + "see it " * 20]},
)


def screen(result: Result, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, highlight=False, record=True)
    show(result, console)
    return [line.rstrip() for line in console.export_text().splitlines()]


def assert_fits(lines: list[str], width: int, words: list[str]) -> None:
    assert max(map(cell_len, lines)) <= width
    broken = {word.strip(",") for word in words} - {
        word.strip(",") for line in lines for word in line.split()
    }
    assert not broken


@WIDTHS
def test_a_result_fits_and_no_word_is_broken(width: int) -> None:
    lines = screen(RESULT, width)
    prompt = lines.index("best prompt") + 1
    assert lines.pop(prompt) == RESULT.best_prompt, "as one line, since it is copied"
    assert_fits(lines, width, describe_verdict(RESULT).split())


def test_prompt_verdict_figures_and_change_stand_in_this_order() -> None:
    text = "\n".join(screen(RESULT, 200))
    places = [
        text.index(part) for part in ("best prompt", "Better: +65.0", "12,345 task calls", "what changed")
    ]
    assert places == sorted(places)


def test_a_long_difference_is_shortened() -> None:
    text = "\n".join(screen(RESULT, 200))
    changed = text[text.index("what changed") :]
    assert "reconsidered" in changed
    assert "(50 more words)" in changed  # 70 unchanged ones before the change, 10 kept at each end
    assert "word030" not in changed


def test_what_is_not_over_is_called_the_best_so_far() -> None:
    assert "best prompt so far" in screen(replace(RESULT, status="interrupted"), 80)


def record(chosen: str, *, step: int = 4, total: int = 12, limit: int | None = 20) -> StepRecord:
    candidate = ScoredCandidate("", chosen, "parent", 3, 0, score=0.703)
    return StepRecord(
        step=step,
        total=total,
        limit=limit,
        parent="parent",
        parent_score=0.5,
        information=Information("parent", 0.5),
        shown=Shown(()),
        meta_prompt=(Message("user", "m"),),
        candidates=(candidate,) * 8,
        chosen=chosen,
        chosen_score=0.703,
        best=chosen,
        best_score=0.719,
    )


@WIDTHS
@pytest.mark.parametrize("chosen", [" ".join(WORDS), "思" * 300, "short", "x" * 300])
def test_the_line_of_a_step_fits(chosen: str, width: int) -> None:
    for line in (
        describe_step(record(chosen), width),
        describe_step(record(chosen, step=999, total=1000), width),
    ):
        assert cell_len(line) <= width
        assert "dev  70.3  best  71.9 ↑" in line
    words = describe_step(record(" ".join(WORDS)), width).split("↑")[1].removesuffix(" …").split()
    assert words == WORDS[: len(words)]
    assert words
    assert ("edit limit" in line) == (width == 200)


def test_a_line_is_cut_between_words() -> None:
    # "one two …" has 9 columns; "three" would be broken at 12.
    assert cut_at_word("one two three", 12) == "one two …"
    assert cut_at_word("one two three", 13) == "one two three"
    assert cut_at_word("思思思", 5) == "思思…"


@WIDTHS
def test_the_live_block_fits(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, record=True)
    monkeypatch.setattr(terminal, "_terminal", lambda: console)
    progress = Progress(
        step=4, steps=12, limit=20, best_score=0.719, pairs_done=5000, pairs_planned=90_000, calls=123_456
    )
    progress.cached, progress.replayed, progress.retries = 12_345, 23_456, 345
    progress.replies, progress.useless = 5000, 1234
    for phase in ("optimizing", "scoring the held-out test set"):
        progress.phase = phase
        console.print(terminal.ProgressDisplay(progress)._render())
        lines = console.export_text().splitlines()
        assert_fits(
            lines, width, ["unreadable", "replayed", "retries", *phase.replace("optimizing", "step").split()]
        )
        assert " ".join(" ".join(lines).split()).count("1,234 of 5,000 replies unreadable or cut") == 1


def test_unreadable_replies_are_counted_while_a_run_goes_on(tmp_path: Path) -> None:
    counts: list[tuple[int, int]] = []

    class Watch(Watcher):
        def progressed(self, progress: Progress) -> None:
            counts.append((progress.useless, progress.replies))

    rows = sums(12, 2)
    task = gpo.Task.from_rows(
        {"train": sums(8, 1), "dev": rows, "test": sums(4, 3)}, answer="boolean", allow_overlap=True
    )
    bad = {row["input"] for row in rows[:2]}
    gpo.optimize(
        task,
        prompt="Let's think.",
        models={
            "task": lambda text: "No idea." if any(q in text for q in bad) else solve(text),
            "optimizer": rewrite,
        },
        method={"trajectory": "recency"},
        optimize={"epochs": 1, "candidates": 2},
        run_dir=tmp_path / "run",
        watcher=Watch(),
    )
    useless, replies = counts[-1]
    assert replies % 12 == 0
    assert useless == replies // 6


@WIDTHS
def test_a_table_of_a_suite_breaks_no_word(width: int) -> None:
    scores = {
        slot(method, seed, task): 0.5 + seed / 10
        for method in ("gpo", "evoprompt", "no-trajectory-at-all")
        for task in ("object_counting", "reasoning_about_colored_objects", "wsc")
        for seed in (0, 1)
    }
    console = Console(file=io.StringIO(), width=width, force_terminal=True, record=True)
    show_table(table(scores), {}, Path("out"), console)
    lines = console.export_text().replace("┃", " ").replace("│", " ").splitlines()
    words = ["no-trajectory-at-all", "object_counting", "reasoning_about_colored_objects", "wsc"]
    assert_fits(lines, width, words)


@WIDTHS
def test_the_list_of_tasks_breaks_no_word(width: int, tmp_path: Path) -> None:
    done = call("tasks", "list", cwd=tmp_path, env={"COLUMNS": str(width)})
    words = [
        "gpo/tracking_shuffled_objects",
        "(hand-written).",
        "logical_deduction_seven_objects",
        "$GPO_DATA_DIR",
    ]
    assert_fits(done.stdout.splitlines(), width, words)
