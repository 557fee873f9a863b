"""The rows of programs: how targets are read by the kind of answer, what is refused, and what no run can change."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.errors import ConfigError, DataError
from gpo.run.evaluate import Evaluation
from tests.support.server import ModelServer

Row = Mapping[str, Any]


async def asks(prompts: Row, row: Row, model: Any) -> str:
    return str(await model(f"{prompts['prompt']}\n{row['input']}"))


def make(values: Mapping[str, Any], program: Any = asks, **options: Any) -> gpo.Task:
    """A task of 12 rows with `values`."""
    split = {"train": 4, "dev": 4, "test": 4}
    rows = [{"input": f"question {n}", **values} for n in range(12)]
    return gpo.Task.from_program(rows, program, **{"split": split, **options})


def evaluate(task: gpo.Task, reply: str) -> Evaluation:
    with ModelServer(answer=lambda body: reply) as server:
        return gpo.evaluate(task, {"prompt": "P"}, model={"model": "m", "base_url": server.base_url})


@pytest.mark.parametrize(("reply", "value"), [("red", 0.0), ("red blue", 1.0)])
def test_a_list_of_words_is_one_answer(reply: str, value: float) -> None:
    found = evaluate(make({"target": ["red", "blue"]}, answer="words"), reply)
    assert found.interval.mean == value


def test_a_json_target_is_compared_by_its_fields() -> None:
    task = make({"target": {"name": "Ada", "age": 36}}, answer="json")
    assert task.metric.name == "fields"
    assert evaluate(task, '{"name": "Ada", "age": 7}').interval.mean == 0.5


def test_the_options_of_a_choice_are_lettered() -> None:
    task = make(
        {"options": ["red", "blue"], "target": "A"},
        answer="choice",
        input="{input}\n{options}",
        target="target",
    )
    assert task.splits.dev[0].input.endswith("(A) red\n(B) blue")


def test_a_target_that_no_reply_could_be_is_named() -> None:
    with pytest.raises(DataError, match=r"row \d+: the target .*many"):
        make({"target": "many"}, answer="number")
    make({"target": "many"}, answer="number", metric=lambda output, row: 1.0)


def test_a_label_that_only_test_rows_have_is_told_and_not_refused() -> None:
    rows = {
        name: [{"input": f"{name} {n}", "target": "left" if name != "test" or n else "odd"} for n in range(3)]
        for name in ("train", "dev", "test")
    }
    task = gpo.Task.from_program(rows, asks, answer={"kind": "label"})
    assert any("have a label that no other split has" in line for line in task.test_warnings)


def test_a_score_that_the_judges_scale_does_not_have_is_named() -> None:
    judge = {"rubric": "Good.", "scale": [0, 5], "labels": {"answer": "given", "score": "score"}}
    with pytest.raises(DataError, match=r"score is '9', and task.judge.scale goes from 0 to 5"):
        make({"target": "x", "given": "y", "score": 9}, metric="judge", judge=judge)


def test_a_form_is_the_programs_own_business() -> None:
    with pytest.raises(ConfigError, match=r"structured: has no meaning with task.program"):
        make({"target": "left"}, answer={"kind": "label", "structured": True})


class Opaque:
    """A value that another process cannot know again."""


@pytest.mark.parametrize("value", [Opaque(), {"red"}, {"in": {("a", "b"): 1}}, [len], {"in": [Opaque()]}])
def test_a_row_that_no_process_could_know_again_is_refused(value: Any) -> None:
    def own(prompts: Row, row: Row) -> str:
        return "left"

    with pytest.raises(ConfigError, match=r"row \d+: the column 'extra' cannot be journaled"):
        make({"target": "left", "extra": value}, own, identity="own-1")
    make({"target": "left", "extra": value}, metric=lambda output, row: 1.0, input="input")


def test_what_a_program_changes_in_its_row_no_other_run_sees(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def own(prompts: Row, row: Row) -> str:
        seen.append(list(row["found"]["texts"]))
        row["found"]["texts"].append("more")
        return "left"

    def metric(output: str, row: Row) -> float:
        row["found"]["texts"].append("graded")
        return 1.0

    values = {"target": "left", "found": {"texts": ["one"]}, "day": datetime.date(2024, 5, 1)}
    task = make(values, own, metric=metric, identity="own-1")
    for prompt in ("P", "Q"):
        gpo.evaluate(task, {"prompt": prompt}, model=str, split="dev")
    assert seen == [["one"]] * 8
