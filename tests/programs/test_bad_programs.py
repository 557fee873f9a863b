"""Programs that do wrong: each is told in one line, and a row that fails is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import gpo
from gpo.run.evaluate import Evaluation
from tests.programs.support import PROMPTS, SIZES, answer, make_task, models, optimize
from tests.support.server import ModelServer

Row = Mapping[str, Any]


def evaluate(program: Any, prompts: Any = None, **options: Any) -> Evaluation:
    with ModelServer(answer=answer) as server:
        return gpo.evaluate(
            make_task(program, **options),
            prompts or {"answer": "ANSWER"},
            model=models(server.base_url)["task"],
            split="dev",
        )


def test_a_program_that_raises_for_one_row_excludes_it() -> None:
    async def raises(prompts: Row, row: Row, model: Any) -> str:
        reply = await model(f"{prompts['answer']}\n{row['question']}")
        if row["question"] == "q7":
            raise KeyError("passages")
        return str(reply)

    found = evaluate(raises)
    assert (found.failed, found.examples) == (1, SIZES["dev"] - 1)
    assert found.usage["calls"] == SIZES["dev"]


def test_a_program_that_raises_for_every_row_ends_with_its_own_words() -> None:
    async def raises(prompts: Row, row: Row, model: Any) -> str:
        await model("ANSWER")
        raise KeyError("passages")

    with pytest.raises(
        gpo.GPOError, match=r"could not be scored.*raises raised KeyError: 'passages', test_bad_pro"
    ):
        evaluate(raises)


def test_a_call_without_await_is_named() -> None:
    async def forgets(prompts: Row, row: Row, model: Any) -> str:
        reply = model(f"{prompts['answer']}\n{row['question']}")
        return str(reply)

    with pytest.raises(
        gpo.GPOError, match=r"forgets called model\(…\) without await, 1 time; write await model"
    ):
        evaluate(forgets)


def test_a_program_without_return_is_named() -> None:
    async def silent(prompts: Row, row: Row, model: Any) -> None:
        await model(f"{prompts['answer']}\n{row['question']}")

    with pytest.raises(gpo.GPOError, match=r"silent returned nothing; return its output"):
        evaluate(silent)


def test_an_output_of_the_wrong_type_is_named() -> None:
    async def lists(prompts: Row, row: Row, model: Any) -> list[str]:
        return [await model(f"{prompts['answer']}\n{row['question']}")]

    def strict(output: Any, row: Row) -> float:
        return float(output.strip() == row["answer"])

    with pytest.raises(
        gpo.ConfigError, match=r"strict failed on example .*no attribute 'strip'; .* returned list"
    ):
        evaluate(lists, metric=strict)
    with pytest.raises(gpo.ConfigError, match=r"returned list .* exact_match reads text"):
        evaluate(lists, metric="exact_match")


def test_work_around_the_model_is_refused() -> None:
    def around(prompts: Row, row: Row, model: Any) -> str:
        return "left"

    with pytest.raises(gpo.ConfigError, match=r"around answered 8 rows without a call .* identity="):
        evaluate(around)


def test_outputs_that_cannot_be_journaled_are_named() -> None:
    def sets(prompts: Row, row: Row) -> set[str]:
        return {"left"}

    with pytest.raises(gpo.ConfigError, match=r"sets has an identity.* returned set, which is no JSON value"):
        gpo.evaluate(make_task(sets, identity="sets-1"), PROMPTS, model=str, split="dev")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"run": 3}, "run must be a function"),
        ({"run": lambda row: row}, "must take 3 arguments: prompts, row, model"),
        ({"metric": lambda output: 1.0}, "must take 2 arguments: output, row"),
        ({"identity": " "}, "identity must be a text"),
        ({"concurrency": 0}, "concurrency must be a number"),
        ({"position": "system"}, "'position' is not one of its options"),
        ({"target": "nothing"}, "nothing"),
    ],
)
def test_wrong_options_are_named(given: dict[str, Any], line: str) -> None:
    given = dict(given)
    with pytest.raises(gpo.ConfigError, match=line):
        make_task(given.pop("run", lambda prompts, row, model: ""), **{"metric": "exact_match", **given})


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"prompts": {}}, "mapping of names"),
        ({"prompts": {"a b": "x"}}, "'a b' cannot name a prompt"),
        ({"prompts": {"a": 1}}, "prompts.a: must be a text, not int"),
        ({"prompts": {"a": "</Part>", "b": ""}}, "prompts.a: holds <Part"),
        ({"prompt": "x"}, "leave one out"),
        ({"prompts": None}, "prompts: is missing"),
        ({"method": "ape-original"}, "ape-original knows one prompt"),
        ({"layout": 1}, "layout: 1"),
    ],
)
def test_wrong_prompts_are_named(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(gpo.ConfigError, match=line):
        optimize("http://127.0.0.1:9/v1", None, **changes)
