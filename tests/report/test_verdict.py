"""One verdict, wherever a result is shown."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from gpo.evaluation.statistics import compare, detectable_gain
from gpo.report.terminal import show
from gpo.result.notebook import render_result
from gpo.result.result import Improvement, Result, Scores, SplitScores
from gpo.result.verdict import decide_verdict, describe_verdict, warn_of_few_rows
from gpo.text import points


def result(before: list[float], after: list[float], **changes: Any) -> Result:
    found = compare(before, after, seed=0)
    gain = Improvement(
        test=found.mean,
        ci_low=found.low,
        ci_high=found.high,
        p_value=found.p_value,
        verdict=found.verdict,
        rows=found.rows,
        detectable=detectable_gain(found),
    )
    return Result(
        status="complete", initial_prompt="old", best_prompt="new", improvement=replace(gain, **changes)
    )


def shown(found: Result) -> str:
    file = io.StringIO()
    show(found, Console(file=file, width=300))
    return file.getvalue()


@pytest.mark.parametrize(
    ("before", "after", "begins", "says"),
    [
        ([0.0] * 3, [1.0] * 3, "Not shown to be better: +100.0 points", "p = 0.25"),
        ([0.0] * 4 + [1.0] * 196, [1.0] * 200, "Not shown to be better: +2.0 points", "p = 0.12"),
        ([0.0] * 12 + [1.0] * 28, [1.0] * 40, "Better: +30.0 points", "p = 0.00049"),
        ([1.0] * 12 + [0.0] * 28, [0.0] * 40, "Worse: -30.0 points", "keep the initial prompt"),
    ],
)
def test_screen_and_notebook_say_the_one_verdict(
    before: list[float], after: list[float], begins: str, says: str
) -> None:
    found = result(before, after)
    sentence = describe_verdict(found)
    assert sentence.startswith(begins)
    assert says in sentence
    assert sentence in shown(found)
    assert sentence in render_result(found)


def test_a_result_of_an_earlier_version_is_judged_by_the_rule_of_today() -> None:
    # Its bootstrap interval of three rows had no width.
    old = result([0.0] * 3, [1.0] * 3, ci_low=1.0, ci_high=1.0, verdict=None, rows=None, detectable=None)
    assert decide_verdict(old) == "not shown"
    assert warn_of_few_rows(old) == ""


def test_a_small_test_split_is_warned_of_wherever_it_is_shown() -> None:
    small = result([0.0] * 12, [1.0] * 12)
    warning = warn_of_few_rows(small)
    assert "only 12 test rows" in warning
    assert "50.0 points" in warning
    assert warning in shown(small)
    assert warning in render_result(small)
    assert "test rows" not in shown(result([0.0] * 30, [1.0] * 30))


def test_without_a_test_or_another_prompt_it_says_so() -> None:
    step = {"step": 0, "candidates_scored": 3}
    none = Result(status="complete", initial_prompt="old", best_prompt="new")
    assert describe_verdict(none).startswith("The held-out test set was not evaluated")
    same = replace(result([0.0] * 30, [1.0] * 30), best_prompt="old", steps=(step,))
    assert describe_verdict(same) == "No better prompt found: the initial prompt has the best dev score."
    empty = replace(same, steps=({**step, "candidates_scored": 0},))
    assert describe_verdict(empty) == "No better prompt found: no candidate could be scored."
    assert describe_verdict(replace(same, steps=())) == "Scored only: this method tries no other prompt."


def test_a_run_that_was_stopped_says_how_far_it_came_on_every_screen() -> None:
    nothing = Result(status="budget", initial_prompt="old", best_prompt="old")
    told = "Stopped by its budget after 0 steps. No prompt is scored on all of dev yet."
    assert describe_verdict(nothing) == told
    assert told in shown(nothing)
    assert told in render_result(nothing)
    scores = Scores(initial=SplitScores(dev=0.3125), best=SplitScores(dev=0.5))
    one = Result(
        status="budget", initial_prompt="old", best_prompt="new", scores=scores, steps=({"step": 0},)
    )
    assert describe_verdict(one) == (
        "Stopped by its budget after 1 step; the best dev score so far is 50.0, the initial prompt's 31.3. "
        "Whether it is really better, only the held-out test set will show."
    )


def test_a_tie_in_rounding_goes_away_from_zero_as_in_the_page() -> None:
    # 31.25 is exact in binary: str.format would round it to the even 31.2, a browser's toFixed to 31.3.
    assert [points(0.3125), points(-0.3125, signed=True), points(0.0, signed=True)] == [
        "31.3",
        "-31.3",
        "+0.0",
    ]
