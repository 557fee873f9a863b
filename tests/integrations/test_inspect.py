"""Tasks of Inspect as tasks of GPO: their scorers' scores, and a prompt that is better by them."""

from __future__ import annotations

from typing import Any

import pytest

import gpo
from tests.support.server import ModelServer

from .support import LANDSCAPE

pytestmark = [pytest.mark.integrations, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]
inspect_ai = pytest.importorskip("inspect_ai")


def samples(count: int = 60) -> list[Any]:
    from inspect_ai.dataset import Sample

    return [Sample(input=row["input"], target=row["target"]) for row in LANDSCAPE.rows(count)]


def test_a_prompt_gets_better_by_the_scorer_and_inspect_says_the_same_score() -> None:
    from inspect_ai.scorer import includes
    from inspect_ai.solver import generate

    inspected = inspect_ai.Task(name="sides", dataset=samples(), solver=generate(), scorer=includes())
    task = gpo.integrations.inspect.task_from(inspected, split={"train": 8, "dev": 20, "test": 32})
    with ModelServer(answer=LANDSCAPE.answer) as server:
        model = {"model": "task", "base_url": server.base_url}
        result = gpo.optimize(
            task,
            prompt="amber anchor",
            models=model,
            method={"trajectory": "recency"},
            optimize={"epochs": 2, "batch_size": 4, "candidates": 6},
        )
        assert result.scores.best.test is not None
        assert result.scores.initial.test is not None
        assert result.scores.best.test > result.scores.initial.test + 0.1
        # The same prompt in Inspect itself, on the rows of test.
        held_out = [
            inspect_ai.dataset.Sample(input=f"{one.input}\n{result.best_prompt}", target=str(one.target))
            for one in task.splits.test
        ]
        (log,) = inspect_ai.eval(
            inspect_ai.Task(dataset=held_out, solver=generate(), scorer=includes()),
            model="openai/task",
            model_base_url=server.base_url,
            model_args={"responses_api": False, "api_key": "none"},
            display="none",
            log_format="json",
        )
    assert log.status == "success", log.error
    assert log.results.scores[0].metrics["accuracy"].value == pytest.approx(result.scores.best.test)


def test_choices_are_listed_and_read_as_letters() -> None:
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import choice
    from inspect_ai.solver import multiple_choice

    data = [
        Sample(input=f"Question {n}?", choices=["no", "yes"], target="AB"[n % 2], id=n) for n in range(40)
    ]
    task = gpo.integrations.inspect.task_from(
        inspect_ai.Task(name="letters", dataset=data, solver=multiple_choice(), scorer=choice())
    )
    assert task.splits.dev[0].input.endswith("?\n(A) no\n(B) yes")
    found = gpo.evaluate(task, "Choose.", model=lambda text: "The answer is (B).")
    right = sum(str(one.target) == "B" for one in task.splits.test)
    assert found.interval.mean == pytest.approx(right / len(task.splits.test))


def test_the_explanation_is_feedback_and_several_targets_stay() -> None:
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import Score, Target, accuracy, scorer

    @scorer(metrics=[accuracy()])  # type: ignore[untyped-decorator]
    def mine() -> Any:
        async def score(state: Any, target: Target) -> Score:
            assert state.metadata == {"why": state.sample_id}
            return Score(value="P", explanation=f"{state.output.completion} for {list(target)}")

        return score

    data = [
        Sample(input=f"Q{n}", target=["a", "b"], id=f"s{n}", metadata={"why": f"s{n}"}) for n in range(40)
    ]
    task = gpo.integrations.inspect.task_from(inspect_ai.Task(dataset=data, scorer=mine()))
    assert gpo.evaluate(task, "Go.", model=lambda text: "x").interval.mean == 0.5


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"scorer": None}, "has no scorer; say which one with scorer="),
        ({"dataset": "chat"}, "Inspect sample 1: its input is a chat of 2 messages and not one question"),
        ({"dataset": "bare"}, "Inspect sample 1: has no target"),
    ],
)
def test_what_cannot_be_taken_is_a_line(changes: dict[str, Any], line: str) -> None:
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser
    from inspect_ai.scorer import match

    chat = [ChatMessageSystem(content="Be brief."), ChatMessageUser(content="Hello?")]
    data = {"chat": [Sample(input=chat, target="a")], "bare": [Sample(input="Hello?")]}
    settings = {"dataset": samples(), "scorer": match(), **changes}
    if isinstance(settings["dataset"], str):
        settings["dataset"] = data[settings["dataset"]]
    with pytest.raises(gpo.GPOError, match=line):
        gpo.integrations.inspect.task_from(inspect_ai.Task(**settings))
