"""What the parts of a page say, against values worked out by hand."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gpo.report import page
from gpo.report.data import read_run
from gpo.report.details import collect_details
from gpo.report.page import report_html, sections
from gpo.report.scores import SplitTable
from gpo.report.sections.changes import count_changes
from gpo.report.sections.head import build_head
from gpo.report.sections.path import build_path
from gpo.report.sections.rerun import describe_rerun, show_config
from gpo.report.terminal import show, show_run
from gpo.result.folding import fold
from gpo.result.result import Improvement, Result
from gpo.result.verdict import name_verdict
from gpo.result.word_diff import compare_words
from gpo.run.journal_writer import prompt_id
from gpo.storage.journal_reader import JournalReader
from gpo.storage.records import RecordedScore
from tests.report.support import Diary, run_sums


def table(*rows: tuple[str, str, float, str, float]) -> SplitTable:
    """Expected, then reading and value before and after, of each example; "" is unreadable."""
    found: dict[str, dict[int, RecordedScore]] = {}
    for number, (_, read, value, read_after, value_after) in enumerate(rows):
        pair = ((read, value), (read_after, value_after))
        found[str(number)] = {
            place: RecordedScore(str(place), "test", str(number), score, text or None, not text, ())
            for place, (text, score) in enumerate(pair)
        }
    return SplitTable("test", found, {str(i): ("Q?", row[0]) for i, row in enumerate(rows)})


def test_examples_are_fixed_broken_right_and_never_right() -> None:
    found = count_changes(
        table(
            ("Yes", "no", 0.0, "yes", 1.0),
            ("Yes", "", 0.0, "YES", 1.0),
            ("Yes", "perhaps", 0.0, "no", 0.0),
            ("No", "no", 1.0, "yes", 0.0),
            ("No", "no", 1.0, "n", 1.0),
        )
    )
    assert (found.graded, found.total) == (False, 5)
    assert found.counts == {"fixed": 2, "broken": 1, "never": 1, "right": 1}
    before, after = found.confusions
    assert before.columns == ("Yes", "No", "(another answer)", "(unreadable)")
    assert before.rows == (("Yes", (0, 1, 1, 1)), ("No", (0, 2, 0, 0)))
    assert after.columns == ("Yes", "No")
    assert after.rows == (("Yes", (2, 1)), ("No", (1, 1)))  # "n" counted as No


def test_a_label_that_is_called_other_keeps_its_own_column() -> None:
    found = count_changes(
        table(
            ("other", "bill", 0.0, "other", 1.0),
            ("other", "what", 0.0, "other", 1.0),
            ("bill", "other", 0.0, "bill", 1.0),
            ("bill", "bill", 1.0, "bill", 1.0),
        )
    )
    assert found.confusions[0].columns == ("other", "bill", "(another answer)")
    assert found.confusions[0].rows == (("other", (0, 1, 1)), ("bill", (1, 1, 0)))


def test_graded_scores_improve_and_get_worse_without_labels() -> None:
    rows = [
        ("a", "x", 0.2, "y", 0.7),
        ("b", "x", 0.9, "y", 0.4),
        ("a", "x", 0.5, "y", 0.5),
        ("b", "x", 0.0, "y", 1.0),
    ]
    found = count_changes(table(*rows))
    assert found.graded
    assert found.counts == {"improved": 2, "worse": 1, "same": 1}
    assert found.confusions == ()


def test_long_unchanged_parts_are_folded_and_nothing_is_lost() -> None:
    words = [f"w{i} " for i in range(200)]
    old, new = "".join(words) + "end", "".join(words) + "new end"
    parts = fold(compare_words(old, new))
    assert [(part.kind, part.words) for part in parts] == [
        ("same", 0),
        ("folded", 160),
        ("same", 0),
        ("added", 0),
        ("same", 0),
    ]
    assert "".join(part.text for part in parts) == new
    assert parts[0].text.split()[-1] == "w19"
    assert parts[2].text.split()[0] == "w180"
    # Words that occur within each other and again and again are not mistaken for one another.
    same = "a aa a aaa " * 40
    assert "".join(part.text for part in fold(compare_words(same, same))) == same
    assert [part.kind for part in fold(compare_words("x " * 80, "x " * 80))] == ["same"]


def result(**changes: Any) -> Result:
    gain = Improvement(test=0.3, ci_low=0.2, ci_high=0.4, p_value=0.001, rows=100)
    return Result(status="complete", initial_prompt="old", best_prompt="new", improvement=gain, **changes)


def test_one_word_says_how_a_run_ended() -> None:
    good = result()
    worse = Improvement(test=-0.3, ci_low=-0.4, ci_high=-0.2, p_value=0.001)
    small = Improvement(test=0.1, ci_low=-0.1, ci_high=0.3, p_value=0.3)
    assert name_verdict(good) == "Better"
    assert name_verdict(replace(good, improvement=worse)) == "Worse"
    assert name_verdict(replace(good, improvement=small)) == "Not shown"
    assert name_verdict(replace(good, improvement=Improvement())) == "Not tested"
    assert name_verdict(replace(good, best_prompt="old")) == "Unchanged"
    assert name_verdict(replace(good, status="budget")) == "Unfinished"
    unreadable = {"rows": {"dev": 40}, "unreadable_dev_replies_of_best": 40}
    assert name_verdict(replace(good, extra=unreadable)) == "Nothing readable"
    assert name_verdict(replace(good, extra={**unreadable, "unreadable_dev_replies_of_best": 39})) == "Better"
    assert name_verdict(replace(good, status="budget", extra={"stopped": "why"})) == "Nothing readable"


def test_replies_that_could_not_be_read_lead_the_screen() -> None:
    file = io.StringIO()
    line = "dev: 40 of 40 replies could not be read as a number"
    show(result(extra={"reply_warnings": [line]}), Console(file=file, width=80))
    assert file.getvalue().splitlines()[:3] == [f"Warning: {line}", "", "best prompt"]


def test_they_lead_the_page_and_the_screen_while_the_run_goes_on(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run", examples=10)
    initial = next(iter(diary.journal.get_meta("config").values())) and "Start here."
    from gpo.run.journal_writer import prompt_id

    for number in range(1, 4):
        bad = RecordedScore(prompt_id(initial), "dev", f"dev:{number}x", 0.0, None, True, (), number == 3)
        diary.journal.put_score(bad)
    diary.close()
    run = read_run(tmp_path / "run")
    told = ("dev: 2 of 13 replies could not be read", "dev: 1 of 13 replies were cut")
    assert [line.startswith(told) for line in run.reply_warnings] == [True, True]
    html = report_html(tmp_path / "run")
    assert 0 < html.index(told[0]) < html.index('id="prompt"')
    file = io.StringIO()
    show_run(run, Console(file=file, width=300))
    assert file.getvalue().startswith(f"Warning: {told[0]}")


def test_few_of_them_are_no_warning(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run", examples=10)
    diary.close()
    assert read_run(tmp_path / "run").reply_warnings == ()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("runs") / "sums"
    run_sums(run_dir)
    return run_dir


def test_head_and_path_say_what_result_and_journal_say(finished: Path) -> None:
    run = read_run(finished)
    found = Result.read(finished / "result.json")
    with JournalReader(finished / "journal.sqlite") as reader:
        from gpo.report.pace import read_pace

        head = build_head(run, reader, read_pace(reader, run.first_steps(), run.config))
        moves = build_path(run, reader)
        parts = sections(run, reader)
    assert head.before == f"{100 * (found.scores.initial.test or 0):.1f}"
    assert head.after == f"{100 * (found.scores.best.test or 0):.1f}"
    assert head.where == "on held-out test"
    facts = dict(head.facts)
    assert (facts["rows"], facts["metric"]) == ("16 train · 12 dev · 20 held-out test", "exact match")
    assert {"started", "took", "cost", "task model", "optimizer", "method"} <= facts.keys()
    # Won and lost on dev add up to the gain of every move: 12 rows.
    assert moves
    for move in moves:
        assert move.won is not None
        assert move.lost is not None
        gain = float(move.after) - float(move.before)
        assert gain == pytest.approx(100 * (move.won - move.lost) / 12, abs=0.11)
    assert moves[-1].after == f"{100 * (found.scores.best.dev or 0):.1f}"
    assert "{input}" in parts["prompt"]
    assert "started by a Python program" in parts["config"]


def test_a_live_page_says_how_far_it_is_and_how_to_stop(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run")
    diary.step(["Go on."], right=5)
    html = report_html(tmp_path / "run")
    assert '<progress value="1" max="10"' in html
    assert "calls a second" in html
    assert "left for the search" in html
    assert "Stop is Ctrl-C in the terminal" in html
    diary.close()
    html = report_html(tmp_path / "run")
    assert "<progress" not in html
    assert '<span class="word plain">Interrupted</span>' in html


def test_the_command_names_the_configuration_in_a_way_a_shell_reads(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "my run")
    diary.close()
    (tmp_path / "my run/config.yaml").write_text("task: {}\n")
    run = read_run(tmp_path / "my run")
    assert describe_rerun(run) == (
        f"cp '{tmp_path}/my run/config.yaml' again.yaml\n"
        f"gpo optimize again.yaml --run-dir '{tmp_path}/my run-again'"
    )
    assert "seed: 7" in show_config(run)
    assert "null" not in show_config(run)


def test_what_a_journal_keeps_besides_is_no_configuration_and_objects_have_no_command(tmp_path: Path) -> None:
    kept = {"part_code": ["x"], "template_digest": "d", "equal_budget": {"calls": 1}, "layout": 2}
    for name, more in (("named", {}), ("objects", {"method": ["Own", "Relevance", "Cosine", "Generation"]})):
        diary = Diary(tmp_path / name)
        diary.configure(**kept, **more)
        diary.close()
        (tmp_path / name / "config.yaml").write_text("task: {}\n")
    run = read_run(tmp_path / "named")
    assert not any(key in show_config(run) for key in kept)
    assert describe_rerun(run) != ""
    assert describe_rerun(read_run(tmp_path / "objects")) == ""


def test_what_made_the_page_is_escaped_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Diary(tmp_path / "run").close()
    monkeypatch.setattr(page, "_foot", lambda run: "a & <b>")
    assert "a &amp; &lt;b&gt;" in report_html(tmp_path / "run")


def test_useless_replies_of_a_run_that_goes_on_are_counted_by_hand(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run", examples=10)
    for number, (unreadable, cut) in enumerate([(True, False)] * 3 + [(True, True)] * 2, start=1):
        score = RecordedScore(
            prompt_id("Start here."), "dev", f"dev:{number}", 0.0, None, unreadable, (), cut
        )
        diary.journal.put_score(score)
    diary.close()
    assert read_run(tmp_path / "run").reply_warnings == (
        "dev: 3 of 10 replies could not be read; see task.answer or the prompt",
        "dev: 2 of 10 replies were cut at their length; raise max_tokens",
    )


def test_a_reply_that_could_not_be_read_is_shown_in_its_cell(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run", "Start <here>.", examples=4)
    with JournalReader(tmp_path / "run/journal.sqlite") as reader:
        first = next(iter(reader.scores(example_id="dev:2")))
    diary.journal.put_score(replace(first, prediction=None, unreadable=True))
    diary.close()
    run = read_run(tmp_path / "run")
    with JournalReader(tmp_path / "run/journal.sqlite") as reader:
        rows = collect_details(run, reader)["grid"]["splits"][0]["rows"]
    assert rows[1]["cells"] == [[0.0, 1, None, "No"]]  # what the model had said
    assert rows[0]["cells"] == [[0.0, 0, "no"]]


def test_ten_figures_are_the_same_in_the_result_on_the_screen_and_on_the_page(finished: Path) -> None:
    found = json.loads((finished / "result.json").read_text(encoding="utf-8"))
    scores, gain, usage = found["scores"], found["improvement"], found["usage"]
    figures = [
        f"{100 * scores[name][split]:.1f}" for name in ("initial", "best") for split in ("dev", "test")
    ]
    figures += [f"{100 * gain[name]:+.1f}" for name in ("test", "ci_low", "ci_high")]
    figures += [f"p = {gain['p_value']:.2g}", f"{usage['task']['calls']:,} task calls"]
    figures += [f"{usage['optimizer']['calls']:,} optimizer calls"]
    file = io.StringIO()
    show(Result.read(finished / "result.json"), Console(file=file, width=200))
    page = report_html(finished)
    assert len(figures) == 10
    for figure in figures:
        assert figure in file.getvalue(), figure
        assert figure in page, figure
