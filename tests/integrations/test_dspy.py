"""GPO as an optimizer of DSPy programs, with DSPy's own LM against a server on loopback."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gpo
from tests.support.server import Faults, ModelServer, all_text

pytestmark = [pytest.mark.integrations, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]
dspy = pytest.importorskip("dspy")

WORDS = ("kindly", "now", "twice", "briefly")
"""Of these "twice" helps the first predictor, and "briefly" the second one."""


def answer(body: dict[str, Any]) -> str:
    """A third of the sides is right anyhow, a third with a good hint, a third with good instructions for the side."""
    text = all_text(body)
    if "<START>" in text:
        return f"<START>Say what is asked {WORDS[int(body['seed']) % 4]}.<END>"
    number = int(re.findall(r"item (\d+)", text)[-1])
    if "starting with the field `[[ ## hint ## ]]`" in text:
        return f"[[ ## hint ## ]]\n{'good' if 'twice' in text else 'bad'}\n\n[[ ## completed ## ]]"
    known = (True, "\ngood" in text, "briefly" in text)[number % 3]
    side = ("left", "right")[number % 2] if known else "none"
    return f"[[ ## side ## ]]\n{side}\n\n[[ ## completed ## ]]"


class TwoSteps(dspy.Module):  # type: ignore[misc, name-defined]
    def __init__(self) -> None:
        super().__init__()
        self.hint = dspy.Predict("question -> hint")
        self.side = dspy.Predict("question, hint -> side")

    def forward(self, question: str) -> Any:
        hint = self.hint(question=question).hint
        return self.side(question=question, hint=hint)


def examples(first: int, count: int) -> list[Any]:
    return [
        dspy.Example(question=f"Where does item {n} go?", side=("left", "right")[n % 2]).with_inputs(
            "question"
        )
        for n in range(first, first + count)
    ]


def metric(example: Any, prediction: Any, trace: Any = None) -> bool:
    return bool(example.side == prediction.side)


@pytest.fixture
def lm() -> Iterator[Any]:
    with ModelServer(answer=answer) as server:
        found = dspy.LM(
            "openai/task",
            api_base=server.base_url,
            api_key="none",
            max_tokens=200,
            temperature=0.0,
            cache=False,
        )
        found.server = server
        with dspy.context(lm=found):
            yield found


def optimizer(**options: Any) -> Any:
    settings = {
        "method": {"trajectory": "recency"},
        "optimize": {"epochs": 1, "batch_size": 3, "candidates": 6},
        **options,
    }
    return gpo.integrations.dspy.GPO(metric, **settings)


def accuracy(program: Any, devset: list[Any]) -> float:
    return float(dspy.Evaluate(devset=devset, metric=metric, num_threads=4)(program).score) / 100


def test_a_program_of_two_predictors_gets_better_and_is_saved(lm: Any, tmp_path: Path) -> None:
    student, held_out = TwoSteps(), examples(500, 15)
    compiled = optimizer().compile(
        student, trainset=examples(0, 6), valset=examples(100, 12), testset=held_out
    )
    result = compiled.gpo_result
    assert set(result.best_prompts) == {"hint", "side"}
    assert isinstance(optimizer(), dspy.teleprompt.Teleprompter)
    assert {
        name: one.signature.instructions for name, one in compiled.named_predictors()
    } == result.best_prompts
    # DSPy itself says the same score of the program before and after.
    assert accuracy(student, held_out) == pytest.approx(result.scores.initial.test, abs=1e-4)
    assert accuracy(compiled, held_out) == pytest.approx(result.scores.best.test, abs=1e-4)
    assert result.scores.best.test > result.scores.initial.test + 0.2
    compiled.save(str(tmp_path / "program.json"))
    again = TwoSteps()
    again.load(str(tmp_path / "program.json"))
    assert again.hint.signature.instructions == result.best_prompts["hint"]
    assert accuracy(again, held_out) == pytest.approx(result.scores.best.test, abs=1e-4)
    assert student.hint.signature.instructions == TwoSteps().hint.signature.instructions


def test_every_call_is_in_the_journal_and_none_is_made_twice(lm: Any, tmp_path: Path) -> None:
    def compile(**options: Any) -> Any:
        return optimizer(run_dir=tmp_path / "run", **options).compile(
            TwoSteps(), trainset=examples(0, 6), valset=examples(100, 12), testset=examples(500, 12)
        )

    with pytest.raises(gpo.BudgetError):
        compile(budget={"max_calls": 60})
    assert lm.server.stats.finished <= 60
    result = compile().gpo_result
    used = result.usage
    assert lm.server.stats.finished == used.task.calls + used.optimizer.calls
    assert lm.server.stats.repeated == 0
    before = lm.server.stats.finished
    assert compile().gpo_result.best_prompts == result.best_prompts
    assert lm.server.stats.finished == before


def test_a_reply_that_no_adapter_can_read_is_a_score_of_0(lm: Any) -> None:
    lm.server.answer = lambda body: "<START>Better.<END>" if "<START>" in all_text(body) else "neither field"
    options = {"optimize": {"epochs": 1, "batch_size": 6, "candidates": 1}}
    compiled = optimizer(**options).compile(
        TwoSteps(), trainset=examples(0, 6), valset=examples(100, 12), testset=examples(500, 12)
    )
    assert compiled.gpo_result.scores.initial.dev == 0


def test_a_call_that_fails_is_no_score_of_0(lm: Any) -> None:
    whole = optimizer().compile(TwoSteps(), trainset=examples(0, 6), valset=examples(100, 15)).gpo_result
    lm.server.faults = Faults(rates={"500": 0.1}, per_request=2)
    result = optimizer().compile(TwoSteps(), trainset=examples(0, 6), valset=examples(100, 15)).gpo_result
    assert lm.server.stats.outcomes["500"] > 0
    assert (result.scores, result.best_prompts) == (whole.scores, whole.best_prompts)
    lm.server.faults = Faults(rates={"no_model": 1.0})
    with pytest.raises(gpo.GPOError, match=r"does not exist"):
        optimizer().compile(TwoSteps(), trainset=examples(0, 6), valset=examples(100, 15))


def test_the_form_of_a_reply_is_what_dspy_asks_for_itself(lm: Any) -> None:
    def answer_json(body: dict[str, Any]) -> str:
        text = all_text(body)
        if "<START>" in text:
            return "<START>Better.<END>"
        return json.dumps({"side": "left"} if "`side`" in text else {"hint": "none"})

    def forms() -> set[str]:
        asked = [call.body for call in lm.server.log if "<START>" not in all_text(call.body)]
        return {json.dumps(body.get("response_format"), sort_keys=True) for body in asked}

    lm.server.answer = answer_json
    options = {"optimize": {"epochs": 1, "batch_size": 6, "candidates": 1}}
    # Of this name DSPy knows that it takes a schema.
    known = dspy.LM("openai/gpt-4o-mini", api_base=lm.server.base_url, api_key="none", cache=False)
    with dspy.context(lm=known, adapter=dspy.JSONAdapter()):
        TwoSteps()(question="Where does item 1 go?")
        own = forms()
        lm.server.log.clear()
        optimizer(**options).compile(TwoSteps(), trainset=examples(0, 6), valset=examples(100, 12))
    assert "null" not in own
    assert forms() == own


def test_without_an_lm_it_is_one_line(lm: Any) -> None:
    partly = TwoSteps()
    partly.side.lm = lm
    with dspy.context(lm=None):
        for student in (TwoSteps(), partly):
            with pytest.raises(gpo.ConfigError, match=r"no LM: say dspy\.configure"):
                optimizer().compile(student, trainset=examples(0, 12))


def test_too_few_examples_and_another_lm_are_a_line_each(lm: Any) -> None:
    with pytest.raises(gpo.ConfigError, match="are too few; give more"):
        optimizer().compile(TwoSteps(), trainset=examples(0, 1))
    student = TwoSteps()
    student.hint.lm = dspy.LM("openai/a", api_key="none")
    student.side.lm = dspy.LM("openai/b", api_key="none")
    with pytest.raises(
        gpo.ConfigError, match="the predictor side runs with another LM than the predictor hint"
    ):
        optimizer().compile(student, trainset=examples(0, 12))
    # One that has none runs with DSPy's.
    student.hint.lm = None
    with pytest.raises(
        gpo.ConfigError, match="the predictor side runs with another LM than the predictor hint"
    ):
        optimizer().compile(student, trainset=examples(0, 12))
    student.side.lm = lm
    with pytest.raises(gpo.ConfigError, match="the predictor side runs with another LM than task_model"):
        optimizer(task_model=dspy.LM("openai/c", api_key="none")).compile(student, trainset=examples(0, 12))


def answer_by_examples(body: dict[str, Any]) -> str:
    """Sides are right where the hint's examples are shown: a right one replies as they do. Words change nothing."""
    text = all_text(body)
    if "<START>" in text:
        return f"<START>Say what is asked {WORDS[int(body['seed']) % 4]}.<END>"
    number = int(re.findall(r"item (\d+)", text)[-1])
    if "starting with the field `[[ ## hint ## ]]`" in text:
        good = number % 2 or text.count("[[ ## hint ## ]]\ngood") > 0
        return f"[[ ## hint ## ]]\n{'good' if good else 'bad'}\n\n[[ ## completed ## ]]"
    side = (
        ("left", "right")[number % 2]
        if re.findall(r"\[\[ ## hint ## \]\]\n(\w+)", text)[-1] == "good"
        else "none"
    )
    return f"[[ ## side ## ]]\n{side}\n\n[[ ## completed ## ]]"


PLUS = {"method": {"name": "gpo+", "budget": 120}, "optimize": {}}


def test_gpo_plus_gives_predictors_demonstrations_of_accepted_runs(lm: Any, tmp_path: Path) -> None:
    lm.server.answer = answer_by_examples
    train, val, held_out = examples(0, 16), examples(100, 12), examples(500, 12)

    def compile() -> Any:
        return optimizer(run_dir=tmp_path / "run", **PLUS).compile(
            TwoSteps(), trainset=train, valset=val, testset=held_out
        )

    compiled = compile()
    scores = compiled.gpo_result.scores
    assert scores.initial.test == pytest.approx(0.5)
    assert scores.best.test == 1
    demos = compiled.hint.demos
    assert demos
    # Rows of train that were accepted, with what the predictor said in that run: the right half has odd numbers.
    assert {demo.question for demo in demos} <= {row.question for row in train if row.side == "right"}
    assert {demo.hint for demo in demos} == {"good"}
    # What the rows label is shown as they label it, with what the other predictor said of them.
    assert all(
        demo.side == {row.question: row.side for row in train}[demo.question] for demo in compiled.side.demos
    )
    assert accuracy(compiled, held_out) == pytest.approx(scores.best.test, abs=1e-4)

    compiled.save(str(tmp_path / "program.json"))
    again = TwoSteps()
    again.load(str(tmp_path / "program.json"))
    assert [dict(demo) for demo in again.hint.demos] == [dict(demo) for demo in demos]
    assert accuracy(again, held_out) == pytest.approx(scores.best.test, abs=1e-4)

    # A complete run, asked again: nothing is asked, and the demonstrations are those of its prompts.
    asked = lm.server.stats.finished
    assert [dict(demo) for demo in compile().hint.demos] == [dict(demo) for demo in demos]
    assert lm.server.stats.finished == asked


def test_what_is_shown_is_never_scored_again(lm: Any) -> None:
    lm.server.answer = answer_by_examples
    compiled = optimizer(**PLUS).compile(TwoSteps(), trainset=examples(0, 16), valset=examples(100, 12))
    start = TwoSteps().hint.signature.instructions
    shown = {demo.question for _, one in compiled.named_predictors() for demo in one.demos}
    assert shown
    for call in lm.server.log:
        text = all_text(call.body)
        questions = re.findall(r"Where does item \d+ go\?", text)
        if "<START>" not in text and questions[-1] in shown:
            assert len(questions) == 1, "scored with demonstrations"
            if "starting with the field `[[ ## hint ## ]]`" in text:
                assert start in text


def test_a_labelled_trainset_is_shown_as_it_is_labelled(lm: Any) -> None:
    lm.server.answer = answer_by_examples
    student = dspy.Predict("question -> hint")
    rows = [
        dspy.Example(question=f"Where does item {n} go?", hint="good").with_inputs("question")
        for n in range(0, 60, 2)
    ]

    def knows(example: Any, prediction: Any, trace: Any = None) -> bool:
        return bool(example.hint == prediction.hint)

    search = gpo.integrations.dspy.GPO(knows, method={"name": "gpo+", "budget": 60})
    compiled = search.compile(student, trainset=rows[:10], valset=rows[10:20], testset=rows[20:])
    # Under the start prompt no run is right, and yet there is something to show.
    assert compiled.gpo_result.scores.initial.test == 0
    assert compiled.gpo_result.scores.best.test == 1
    assert {demo.question for demo in compiled.demos} <= {row.question for row in rows[:10]}


def test_where_nothing_can_be_shown_it_is_a_line(lm: Any, tmp_path: Path) -> None:
    lm.server.answer = lambda body: (
        f"<START>Say what is asked {WORDS[int(body['seed']) % 4]}.<END>"
        if "<START>" in all_text(body)
        else "[[ ## hint ## ]]\nbad\n\n[[ ## side ## ]]\nnone\n\n[[ ## completed ## ]]"
    )

    def unlabelled(first: int, count: int) -> list[Any]:
        # No predictor has an output of this name.
        return [
            dspy.Example(question=row.question, wanted=row.side).with_inputs("question")
            for row in examples(first, count)
        ]

    def compile(method: dict[str, Any]) -> Any:
        search = gpo.integrations.dspy.GPO(
            lambda example, prediction, trace=None: bool(example.wanted == prediction.side), method=method
        )
        return search.compile(TwoSteps(), trainset=unlabelled(0, 16), valset=unlabelled(100, 12))

    compiled = compile({"name": "gpo+", "budget": 120})
    line = "no run of the program on 8 rows of train was accepted by its metric, so nothing can be shown"
    assert [one for one in compiled.gpo_result.warnings if one.startswith(line)] == [
        f"{line}; the search went on over words alone"
    ]
    assert all(not one.demos for _, one in compiled.named_predictors())
    with pytest.raises(gpo.ConfigError, match=rf"^method\.demonstrations: {line}; begin with prompts"):
        compile({"name": "gpo+", "budget": 120, "demonstrations": True})


def test_a_run_that_ended_among_its_first_runs_goes_on_with_the_same_demonstrations(
    lm: Any, tmp_path: Path
) -> None:
    lm.server.answer = answer_by_examples

    def compile(folder: str, **options: Any) -> Any:
        return optimizer(run_dir=tmp_path / folder, **PLUS, **options).compile(
            TwoSteps(), trainset=examples(0, 16), valset=examples(100, 12), testset=examples(500, 6)
        )

    whole = compile("whole")
    asked = lm.server.stats.finished
    # Rows that may be shown are run first: a few of them, then the cap.
    with pytest.raises(gpo.BudgetError):
        compile("stopped", budget={"max_calls": 8})
    again = compile("stopped")
    assert lm.server.stats.finished == 2 * asked
    assert again.gpo_result.best_prompts == whole.gpo_result.best_prompts
    assert [dict(demo) for demo in again.hint.demos] == [dict(demo) for demo in whole.hint.demos]


def test_what_writes_prompts_keeps_to_its_own_length(lm: Any) -> None:
    writer = dspy.LM("openai/writer", api_base=lm.server.base_url, api_key="none", max_tokens=70, cache=False)
    optimizer(prompt_model=writer).compile(TwoSteps(), trainset=examples(0, 6), valset=examples(100, 12))
    lengths = {(call.body["model"], call.body["max_completion_tokens"]) for call in lm.server.log}
    assert lengths == {("task", 200), ("writer", 70)}
