"""A prompt's template: filled with a row it is what is sent for that row, whatever stands in either."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.task.prompt import Frame, Position
from gpo.task.task import Task
from gpo.task.template import make_template

POSITIONS: list[Position] = ["before_question", "question_begin", "question_end", "answer_begin", "system"]
# The demonstration holds the names of columns in braces: text of its own, which nothing fills.
ROWS: dict[str, list[dict[str, Any]]] = {
    "train": [{"q": "1 + 1?", "unit": "eggs", "y": 2}],
    "dev": [{"q": "2 + {unit} {q}?", "unit": "{q}", "y": 4}],
    "test": [{"q": "3 + 3?", "unit": "cows", "y": 6}],
    "demos": [{"q": "what is {q} or {unit}?", "unit": "pigs", "y": 10}],
}


def task(**options: Any) -> Task:
    return Task.from_rows(ROWS, **{"input": "q", "target": "y", "answer": "number", **options})


@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("frame", ["plain", "qa", None])
@pytest.mark.parametrize("position", POSITIONS)
@given(
    demonstrations=st.integers(0, 1),
    source=st.sampled_from(["q", "Given {q} ({unit})", "{q}"]),
    prompt=st.sampled_from(
        [
            "Think.",
            "",
            "Count {unit}.",
            "Solve {input} now.",
            "{q} in {unit}",
            '{"json": 1} {q} {y}',
            "{target} %s",
        ]
    ),
)
def test_a_filled_template_is_what_is_asked(
    position: Position, frame: Frame | None, chat: bool, demonstrations: int, source: str, prompt: str
) -> None:
    made = task(position=position, frame=frame, chat=chat, demonstrations=demonstrations, input=source)
    example = made.splits.dev[0]
    assert make_template(made, prompt).fill(example.fields) == made.opening(prompt, example)


def test_the_template_as_a_file() -> None:
    made = task(answer={"kind": "number", "rounds": 2}, input="Given {q}")
    assert json.loads(json.dumps(make_template(made, "Count the {unit}.").to_dict())) == {
        "messages": [{"role": "user", "content": "Given {q}\nCount the {unit}."}],
        "inputs": ["q", "unit"],
        "second_turn": "Give only your final answer: the number.",
    }
    shown = make_template(task(demonstrations=1, position="system"), "Think.").to_dict()
    assert shown["messages"] == [
        {"role": "system", "content": "Think."},
        {"role": "user", "content": "what is {q} or {unit}?", "fixed": True},
        {"role": "assistant", "content": "10", "fixed": True},
        {"role": "user", "content": "{q}"},
    ]
    assert shown["second_turn"] is None
    base = make_template(task(chat=False), "Think.").to_dict()
    assert base["messages"] == [{"role": "text", "content": "Q: {q}\nThink.\nA:"}]


def test_a_column_whose_name_cannot_stand_in_braces_is_the_input() -> None:
    rows = {name: [{"my?": f"{name}?", "y": 1}] for name in ("train", "dev", "test")}
    made = Task.from_rows(rows, input="my?", target="y", answer="number")
    found = make_template(made, "Think.")
    assert found.to_dict()["messages"][0]["content"] == "{input}\nThink."
    assert found.fill({"input": "dev?"}) == made.opening("Think.", made.splits.dev[0])
