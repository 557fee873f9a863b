"""Where the prompt stands, placeholders, demonstrations, rounds: what the task model is sent, word for word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.errors import ConfigError
from gpo.model.model import Message
from gpo.task.program.parts import join_parts
from gpo.task.prompt import Frame, Position, PromptPlace, fill, find_placeholders, lay_out
from gpo.task.reply_form import choose_reply_form
from gpo.task.task import Opening, Task

ROWS: dict[str, list[dict[str, Any]]] = {
    "train": [{"input": "1 + 1?", "target": 2, "unit": "eggs"}],
    "dev": [{"input": "2 + 2?", "target": 4, "unit": "hens"}],
    "test": [{"input": "3 + 3?", "target": 6, "unit": "cows"}],
    "demos": [
        {"input": "5 + 5?", "target": 10, "unit": "pigs"},
        {"input": "6 + 6?", "target": "12", "unit": "owls"},
    ],
}


def task(**options: Any) -> Task:
    return Task.from_rows(ROWS, **{"answer": "number", **options})


def texts(opening: Opening | None) -> list[tuple[str, str]]:
    assert isinstance(opening, tuple)
    return [(message.role, message.content) for message in opening]


# Position, frame, with a prompt, without one.
LAYOUTS: list[tuple[Position, Frame, str, str]] = [
    ("before_question", "qa", "Think.\n\nQ: 2 + 2?\nA:", "Q: 2 + 2?\nA:"),
    ("question_begin", "qa", "Q: Think.\n2 + 2?\nA:", "Q: 2 + 2?\nA:"),
    ("question_end", "qa", "Q: 2 + 2?\nThink.\nA:", "Q: 2 + 2?\nA:"),
    ("answer_begin", "qa", "Q: 2 + 2?\nA: Think.", "Q: 2 + 2?\nA:"),
    ("before_question", "plain", "Think.\n\n2 + 2?", "2 + 2?"),
    ("question_begin", "plain", "Think.\n2 + 2?", "2 + 2?"),
    ("question_end", "plain", "2 + 2?\nThink.", "2 + 2?"),
    ("answer_begin", "plain", "Q: 2 + 2?\nA: Think.", "Q: 2 + 2?\nA:"),
]


@pytest.mark.parametrize(("position", "frame", "with_prompt", "without"), LAYOUTS)
def test_positions(position: Position, frame: Frame, with_prompt: str, without: str) -> None:
    example = task().splits.dev[0]
    chat, base = task(position=position, frame=frame), task(position=position, frame=frame, chat=False)
    assert chat.opening("Think.", example) == (Message("user", with_prompt),)
    assert chat.opening(" \n", example) == (Message("user", without),)
    assert base.opening("Think.", example) == with_prompt
    assert base.opening("", example) == without


@pytest.mark.parametrize("position", ["before_question", "question_begin", "question_end", "answer_begin"])
def test_a_chat_has_no_frame_and_a_base_model_has_one(position: Position) -> None:
    example = task().splits.dev[0]
    for frame, chat in (("plain", True), ("qa", False)):
        framed = task(position=position, frame=frame, chat=chat)
        assert task(position=position, chat=chat).opening("Think.", example) == framed.opening(
            "Think.", example
        )


def test_the_system_position() -> None:
    example = task().splits.dev[0]
    chat, base = task(position="system"), task(position="system", chat=False)
    assert texts(chat.opening("Think.", example)) == [("system", "Think."), ("user", "2 + 2?")]
    assert texts(chat.opening("", example)) == [("user", "2 + 2?")]
    assert base.opening("Think.", example) == "Think.\n\nQ: 2 + 2?\nA:"


def test_a_base_model_stops_before_a_question_of_its_own() -> None:
    assert task(chat=False).stop == ("\nQ:",)
    assert task().stop == ()


def test_a_placeholder_is_filled_with_the_row() -> None:
    example = task().splits.dev[0]
    assert task().filled("Count the {unit}, {nothing}, {} and {0}.", example) == (
        "2 + 2?\nCount the hens, {nothing}, {} and {0}."
    )


def test_the_target_never_fills_a_placeholder() -> None:
    assert "{target}" in task().filled("It is {target}.", task().splits.dev[0])


@pytest.mark.parametrize("prompt", ["Solve: {input}\nNow.", "Solve: {question} {input}\nNow."])
def test_a_prompt_that_holds_the_question_is_the_whole_template(prompt: str) -> None:
    example = task().splits.dev[0]
    shown = prompt.replace("{input}", "2 + 2?")
    for position in ("before_question", "answer_begin", "system"):
        assert texts(task(position=position).opening(prompt, example)) == [("user", shown)]
    assert task(chat=False).opening(prompt, example) == shown


def test_a_template_of_several_columns_holds_the_question_when_it_has_them_all() -> None:
    rows = {name: [{"q": f"{name}?", "hint": "h", "y": "1"}] for name in ("train", "dev", "test")}
    made = Task.from_rows(rows, input="{q} ({hint})", target="y")
    example = made.splits.dev[0]
    assert made.filled("Ask {q} with {hint}", example) == "Ask dev? with h"
    assert made.filled("Ask {q}", example) == "dev? (h)\nAsk dev?"
    assert made.filled("{input} Go.", example) == "dev? (h) Go."


def test_values_are_never_scanned_again() -> None:
    assert fill("{a}{b}", {"a": "{b}%s{0}", "b": "{a}"}) == "{b}%s{0}{a}"


def test_placeholders_in_order_each_once() -> None:
    assert find_placeholders('{b} {a_1} {b} {} {0} {{c}} {"json": 1} {two words}') == (
        "b",
        "a_1",
        "c",
        "two words",
    )


@given(
    st.text("{}ab%\\\n ", max_size=40), st.dictionaries(st.sampled_from("ab"), st.text("{}ab%\\", max_size=9))
)
def test_filling_what_is_no_placeholder_changes_nothing(prompt: str, fields: dict[str, str]) -> None:
    filled = fill(prompt, fields)
    assert filled == prompt or set(find_placeholders(prompt)) & set(fields)


@given(
    st.text(max_size=20),
    st.text(min_size=1, max_size=20),
    st.sampled_from([(position, frame) for position, frame, _, _ in LAYOUTS]),
)
def test_question_and_prompt_stand_in_every_layout(
    prompt: str, question: str, way: tuple[Position, Frame]
) -> None:
    text = lay_out(prompt, question, way[0], chat=True, frame=way[1]).text
    assert question in text
    assert prompt.strip() in text


def test_demonstrations_in_a_chat_are_turns() -> None:
    made = task(demonstrations=2)
    assert texts(made.opening("Think.", made.splits.dev[0])) == [
        ("user", "5 + 5?\nThink."),
        ("assistant", "10"),
        ("user", "6 + 6?\nThink."),
        ("assistant", "12"),
        ("user", "2 + 2?\nThink."),
    ]


def test_demonstrations_of_a_base_model_are_blocks() -> None:
    made = task(demonstrations=1, chat=False)
    example = made.splits.dev[0]
    assert made.opening("Think.", example) == "Q: 5 + 5?\nThink.\nA: 10\n\nQ: 2 + 2?\nThink.\nA:"
    leading = task(demonstrations=1, chat=False, position="before_question")
    assert leading.opening("Think.", example) == "Think.\n\nQ: 5 + 5?\nA: 10\n\nQ: 2 + 2?\nA:"
    assert leading.opening("", example) == "Q: 5 + 5?\nA: 10\n\nQ: 2 + 2?\nA:"


def test_demonstrations_of_a_base_model_without_a_frame() -> None:
    # Question, prompt and answer a line each, as the authors' code has them.
    made = task(demonstrations=1, chat=False, frame="plain")
    assert made.opening("Think.", made.splits.dev[0]) == "5 + 5?\nThink.\n10\n\n2 + 2?\nThink."


def test_demonstrations_come_from_train_where_there_are_none_and_are_not_invented() -> None:
    rows = {key: value for key, value in ROWS.items() if key != "demos"}
    made = Task.from_rows(rows, demonstrations=1)
    assert texts(made.opening("", made.splits.dev[0]))[0] == ("user", "1 + 1?")
    with pytest.raises(ConfigError, match=r"task\.demonstrations: 3 are asked for, but there are 1 rows"):
        Task.from_rows(rows, demonstrations=3)


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        ({"kind": "number"}, "the number"),
        ({"kind": "choice"}, "the letter of the option"),
        ({"kind": "boolean"}, "Yes or No"),
        ({"kind": "label", "labels": ["red", "blue"]}, "one of: red, blue"),
        ({"kind": "words"}, "the words, separated by spaces"),
        ({"kind": "text"}, "without any explanation"),
    ],
)
def test_the_second_round_asks_for_the_bare_answer(answer: dict[str, Any], asked: str) -> None:
    target = {"number": 1, "choice": "A", "boolean": "Yes", "label": "red"}.get(answer["kind"], "x y")
    rows = {name: [{"input": name, "target": target}] for name in ("train", "dev", "test")}
    made = Task.from_rows(rows, answer={**answer, "rounds": 2})
    opening = made.opening("Think.", made.splits.dev[0])
    turns = texts(made.closing(opening, "Because."))
    assert turns[:2] == [("user", "dev\nThink."), ("assistant", "Because.")]
    assert turns[2][0] == "user"
    assert asked in turns[2][1]
    base = replace(made, chat=False)
    assert base.closing(base.opening("", made.splits.dev[0]), " Because.\n") == (
        f"Q: dev\nA: Because.{made.answer.continuation}"
    )


def test_one_round_by_default_and_with_demonstrations() -> None:
    example = task().splits.dev[0]
    assert task().closing(task().opening("", example), "4") is None
    shown = task(answer={"kind": "number", "rounds": 2}, demonstrations=1)
    assert shown.closing(shown.opening("", example), "4") is None


def test_which_prompts_lead() -> None:
    leading = [
        p
        for p in ("before_question", "question_begin", "question_end", "answer_begin", "system")
        if task(position=p).prompt_leads
    ]
    assert leading == ["before_question", "question_begin", "system"]
    assert task(demonstrations=1).prompt_leads


@pytest.mark.parametrize(
    ("position", "shown"),
    [
        ("before_question", "<Prompt>\n\nQ: 2 + 2?\nA: 4"),
        ("question_begin", "Q: <Prompt>\n2 + 2?\nA: 4"),
        ("question_end", "Q: 2 + 2?\n<Prompt>\nA: 4"),
        ("answer_begin", "Q: 2 + 2?\nA: <Prompt> 4"),
        ("system", "<Prompt>\n\nQ: 2 + 2?\nA: 4"),
    ],
)
def test_an_example_with_its_slot_in_the_frame(position: Position, shown: str) -> None:
    assert task(position=position, frame="qa").with_slot(task().splits.dev[0]) == shown


@pytest.mark.parametrize(
    ("position", "shown"),
    [
        ("before_question", "<Prompt>\n\n2 + 2?\nRight answer: 4"),
        ("question_begin", "<Prompt>\n2 + 2?\nRight answer: 4"),
        ("question_end", "2 + 2?\n<Prompt>\nRight answer: 4"),
        ("answer_begin", "Q: 2 + 2?\nA: <Prompt> 4"),
        ("system", "<Prompt>\n\n2 + 2?\nRight answer: 4"),
    ],
)
def test_an_example_with_its_slot_in_a_chat(position: Position, shown: str) -> None:
    assert task(position=position).with_slot(task().splits.dev[0]) == shown


@pytest.mark.parametrize(
    ("answer", "max_tokens", "form"),
    [
        # The longest answer, "12", takes no tokens worth the name: 64 is room enough.
        ({"kind": "number", "rounds": 2}, 256, "free"),
        ({"kind": "number", "rounds": 2}, 8, "free"),
        ({"kind": "number"}, 256, "ends"),
        ({"kind": "number"}, 64, "ends"),
        ({"kind": "number"}, 63, "bare"),
        ({"kind": "text"}, 256, "whole"),
        (lambda reply: reply, 256, "unknown"),
    ],
)
def test_what_a_reply_must_be_depends_on_how_it_is_read(answer: Any, max_tokens: int, form: str) -> None:
    assert choose_reply_form(task(answer=answer), max_tokens) == form


def test_with_demonstrations_no_second_turn_asks_for_the_answer() -> None:
    shown = task(answer={"kind": "number", "rounds": 2}, demonstrations=1)
    assert choose_reply_form(shown, 256) == "ends"


def test_beside_a_system_prompt_that_of_the_user_turn_stands_behind_the_question() -> None:
    place = PromptPlace("system", "plain", True, ("input",), ("system", "user"))
    prompt = join_parts({"system": "You are brief.", "user": "In {tone} words."})
    laid = place.lay_out(prompt, "Which?", {"input": "Which?", "tone": "kind"})
    assert (laid.system, laid.text) == ("You are brief.", "Which?\nIn kind words.")
    assert place.show("<Prompt>", "Which?", "system") == "<Prompt>\n\nWhich?"
    assert place.show("<Prompt>", "Which?", "user") == "Which?\n<Prompt>"
