"""What a prompt of Python or a notebook prints: a line, whatever the size of the thing."""

from __future__ import annotations

import gpo
from gpo.result.result import Scores, SplitScores

from .interrupted import make_task


def test_a_task_is_a_line() -> None:
    assert repr(make_task()) == (
        "Task('task': 8 train, 12 dev, 10 test; LabelReader, exact_match, prompt at question_end)"
    )


def test_a_result_is_a_line() -> None:
    scores = Scores(initial=SplitScores(dev=0.25, test=0.2), best=SplitScores(dev=0.5, test=0.4))
    result = gpo.Result(status="complete", initial_prompt="a", best_prompt="b\n" * 900, scores=scores)
    shown = repr(result)
    assert shown.startswith("Result(complete; dev 25.0 → 50.0; test 20.0 → 40.0; best prompt 'b b b")
    assert len(shown) < 150
    early = gpo.Result(status="budget", initial_prompt="a", best_prompt="\x1b[31m")
    assert repr(early) == r"Result(budget; no scores; best prompt '\\x1b[31m')"


def test_an_evaluation_is_a_line() -> None:
    found = gpo.evaluate(make_task(), "p", model=lambda text: "left" if text < "m" else "", split="dev")
    shown = repr(found)
    assert shown.startswith(f"Evaluation({100 * found.interval.mean:.1f} [")
    assert "on 12 dev rows" in shown
    assert len(shown) < 100


def test_a_method_is_a_line() -> None:
    assert len(repr(gpo.method("gpo", edit_distance="linear"))) < 250
