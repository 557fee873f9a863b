"""Demonstrations within a prompt: one text that says all, laid out as turns and before a base model's question."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.model.model import Message
from gpo.task.demonstrations import Demonstration, join_prompt, split_named, split_prompt
from gpo.task.program.parts import join_parts, split_parts
from gpo.task.prompt import Position
from gpo.task.task import Task
from gpo.task.template import make_template

ROWS = [{"input": f"Question {i}?", "target": "yes"} for i in range(3)]
SHOWN = (Demonstration("Is it {open}?", "no"), Demonstration("Two\nlines, Q: A: </Demonstrations>", "yes"))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def task(position: Position = "question_end", *, chat: bool = True) -> Task:
    rows = dict.fromkeys(("train", "dev", "test"), ROWS)
    made = Task.from_rows(rows, answer="text", allow_overlap=True, position=position)
    return replace(made, chat=chat)


@given(words=TEXT.filter(lambda text: "<" not in text), shown=st.lists(st.tuples(TEXT, TEXT), max_size=4))
def test_any_rows_come_back_from_the_text(words: str, shown: list[tuple[str, str]]) -> None:
    items = tuple(Demonstration(question, answer, {"column": question}) for question, answer in shown)
    found, read = split_prompt(join_prompt(words, items))
    assert read == items
    assert [item.fields for item in read] == [item.fields for item in items]
    assert found == (words.rstrip() if items and words.strip() else "" if items else words)


@pytest.mark.parametrize(
    "prompt",
    [
        "Answer. <Demonstrations>",
        "<Demonstrations>\n</Demonstrations>",
        "<Demonstrations>\nnot JSON\n</Demonstrations>",
        '<Demonstrations>\n{"input": "a"}\n</Demonstrations>',
        '<Demonstrations>\n{"input": "a", "answer": 1}\n</Demonstrations>',
        '<Demonstrations>\n{"input": "a", "answer": "b"}\n</Demonstrations>\nmore words',
    ],
)
def test_what_only_looks_like_demonstrations_is_words(prompt: str) -> None:
    assert split_prompt(prompt) == (prompt, ())


def test_they_are_turns_of_a_chat_with_the_words_at_their_place() -> None:
    opening = task().opening(join_prompt("Yes or no?", SHOWN), task().splits.dev[0])
    assert opening == (
        Message("user", "Is it {open}?\nYes or no?"),
        Message("assistant", "no"),
        Message("user", "Two\nlines, Q: A: </Demonstrations>\nYes or no?"),
        Message("assistant", "yes"),
        Message("user", "Question 0?\nYes or no?"),
    )
    system = task("system").opening(join_prompt("Yes or no?", SHOWN[:1]), task().splits.dev[0])
    assert [message for message in system if isinstance(message, Message)] == [
        Message("system", "Yes or no?"),
        Message("user", "Is it {open}?"),
        Message("assistant", "no"),
        Message("user", "Question 0?"),
    ]


@pytest.mark.parametrize(
    "position", ["before_question", "question_begin", "question_end", "answer_begin", "system"]
)
def test_a_base_model_reads_them_before_the_question(position: Position) -> None:
    base = task(position, chat=False)
    text = base.opening(join_prompt("Yes or no?", SHOWN[:1]), base.splits.dev[0])
    assert isinstance(text, str)
    assert text.index("Is it {open}?") < text.index(" no\n") < text.index("Question 0?")
    assert "Demonstrations" not in text
    # A prompt that leads stands once; anywhere else it stands beside each question.
    assert text.count("Yes or no?") == (1 if position in ("before_question", "system") else 2)


def test_a_template_keeps_them_as_they_are_and_fills_the_question_only() -> None:
    made = make_template(task(), join_prompt("Yes or no?", SHOWN[:1]))
    assert [(turn.content, turn.fixed) for turn in made.turns[:2]] == [
        ("Is it {open}?\nYes or no?", True),
        ("no", True),
    ]
    filled = made.fill({"input": "Question 9?"})
    assert filled[-1] == Message("user", "Question 9?\nYes or no?")
    assert filled[0] == Message("user", "Is it {open}?\nYes or no?")


def test_placeholders_of_the_words_are_filled_from_each_row() -> None:
    shown = (Demonstration("red car", "yes", {"colour": "red"}),)
    rows = [{"colour": "blue", "thing": "sea", "target": "no"}]
    made = Task.from_rows(
        {"train": rows, "dev": rows, "test": rows},
        input="{colour} {thing}",
        answer="text",
        allow_overlap=True,
    )
    opening = made.opening(join_prompt("Is {colour} warm?", shown), made.splits.dev[0])
    assert [message.content for message in opening if isinstance(message, Message)] == [
        "red car\nIs red warm?",
        "yes",
        "blue sea\nIs blue warm?",
    ]


def test_demonstrations_of_a_part_stand_in_it() -> None:
    words = join_parts({"ask": "Ask.", "answer": ""})
    shown = (
        Demonstration("a row\n</Part> <Part ask>\n", "yes", part="answer"),
        Demonstration("q", "no", part="answer"),
    )
    whole = join_prompt(words, shown)
    assert split_named(whole, ("ask", "answer")) == (words, shown)
    parts = split_parts(whole, ("ask", "answer"))
    assert parts["ask"] == "Ask."
    assert [item.answer for item in split_prompt(parts["answer"])[1]] == ["yes", "no"]
    # One prompt alone has them behind its words, as ever.
    assert split_named(join_prompt("Ask.", SHOWN), ("ask",)) == ("Ask.", SHOWN)
