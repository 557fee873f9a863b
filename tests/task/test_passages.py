"""What stands beside an answer: the question said again, JSON, loops, and replies that were cut off."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.task.answer import Prediction, answer_reader, read_reply
from gpo.task.answer.passages import find_json_answer, find_repeated_block, restates, strip_question
from gpo.task.example import Example
from gpo.task.task import Task

ASKED = "You walk 3 steps, turn around and walk 3 steps. Are you back where you started?"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("Therefore, you are back where you started.", True),
        ("You're not back where you started", False),
        ("So you aren't back where you started!", False),
        ("We ask whether you are back where you started.", None),
        ("You are back where you started. Or: you are not back where you started.", None),
        ("You are back home.", None),
    ],
)
def test_a_question_said_again_as_a_statement_answers_it(reply: str, said: bool | None) -> None:
    assert restates(reply, ASKED) is said
    words = {True: "yes", False: "no", None: None}
    assert answer_reader("boolean", targets=["Yes", "No"]).read(reply, ASKED) == words[said]


@pytest.mark.parametrize("question", ["Who is back where you started?", "Is it so?", "No question.", ""])
def test_only_a_yes_no_question_is_answered_so(question: str) -> None:
    assert restates("It is so. You are back where you started.", question) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"thought": "A or B", "answer": "B"}', "B"),
        ('```json\n[{"steps": [1, 2], "result": 15}]\n```', "15"),
        ('{"answer": ["pear", "zoo"]}', "pear zoo"),
        ('First {"answer": "A"}, no: {"answer": "B"}', "B"),
        ('{"answer": "broken', None),
        ('{"reason": "answer"}', None),
        ("", None),
    ],
)
def test_json(text: str, value: str | None) -> None:
    assert find_json_answer(text) == value


def test_sentences_of_the_question_do_not_count() -> None:
    asked = "Ida's account stands at -45 dollars. She pays in 30 dollars. Where does it stand now?"
    assert strip_question(f"#### {asked}", asked).strip() == ""
    number = answer_reader("number")
    assert number.read(f"#### {asked}", asked) is None
    assert number.read(f"{asked}\n-15", asked) == -15.0
    assert number.read("So she has 15 dollars of the 45 dollars left.", asked) == 15.0


def test_a_loop_is_read_once() -> None:
    assert find_repeated_block("A: B\n\nA: B\n\nA: ") == "B"
    assert find_repeated_block("one\n\ntwo") is None
    assert read_reply(answer_reader("number"), "It is 12.\n\nIt is 12.\n\nIt i", cut=True) == 12.0


CUT: list[tuple[str, str, Prediction]] = [
    ("number", "First, 3 + 4 = 7 apples.\nThen we take 2 of", None),
    ("number", "\\[ 9 + 12 + 36 = 57 \\]\nTherefore, together they", 57.0),
    ("number", "12 apples, because she", 12.0),
    ("number", "The answer is 12. To check, we take 3", 12.0),
    ("boolean", "Yes, because the", "yes"),
    ("boolean", "If it is yes, then", None),
    ("boolean", "Every step cancels, so it is yes.\nTherefore, the final", "yes"),
    ("words", "To sort them:\n\npear, zoo, app", None),
    ("words", "Sorted: apple, pear", ("apple", "pear")),
]


@pytest.mark.parametrize(("kind", "reply", "expected"), CUT)
def test_a_reply_that_was_cut_off(kind: Any, reply: str, expected: Prediction) -> None:
    assert read_reply(answer_reader(kind, targets=["Yes", "No"]), reply, cut=True) == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("(B) 7 a", "B"),
        ("The correct answer is B: 7 am, since", "B"),
        ("Let us look at (A) first", None),
        ("7 am, since the bak", "B"),
    ],
)
def test_a_choice_that_was_cut_off(reply: str, expected: Prediction) -> None:
    question = "When is the bread ready?\n(A) 6 am\n(B) 7 am"
    assert read_reply(answer_reader("choice"), reply, question, cut=True) == expected


def test_a_task_is_told_that_a_reply_was_cut_off_and_an_own_reader_need_not_know() -> None:
    rows = {split: [{"input": f"{split} 3?", "target": "12"}] for split in ("train", "dev", "test")}
    task = Task.from_rows(rows, answer="number")
    example = Example(id="x", input="1 + 6 + 9?", target="7", fields={}, source="")
    assert task.judge("1 + 6 = 7, and we add", example).value == 1.0
    assert task.judge("1 + 6 = 7, and we add", example, cut=True).value == 0.0
    own = Task.from_rows(rows, answer=lambda reply: reply.strip())
    assert own.judge(" 7 ", example, cut=True).value == 1.0


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('Here is a title:\n\n"A Bakery by the Sea"\n\nIt says what matters.', "A Bakery by the Sea"),
        ('A shorter version is "We moved."', "We moved."),
        ('The Iron Man\'s full name is "Hugh Hazzard".', 'The Iron Man\'s full name is "Hugh Hazzard".'),
        ("As an AI language model, I cannot send mail.", None),
        ("Sorry, but as an AI assistant I cannot send mail.", None),
        ("No mail was sent. As an AI, sending is beyond me.", None),
        ("I'm just a language model.", None),
        ("ELIZA is known as a chatbot of 1966.", "ELIZA is known as a chatbot of 1966."),
        ("They introduced it as an AI system.", "They introduced it as an AI system."),
    ],
)
def test_text_that_is_announced(reply: str, expected: str | None) -> None:
    assert answer_reader("text").read(reply) == expected


@given(st.text(max_size=60), st.text('{}[]":,anserw 0', max_size=60))
def test_nothing_breaks_a_cut_reading(reply: str, question: str) -> None:
    for kind in ("label", "choice", "number", "boolean", "words", "text"):
        reader = answer_reader(kind, labels=["spam", "not spam"], targets=["yes"])
        read_reply(reader, reply, question, cut=True)
        read_reply(reader, question, reply, cut=True)


@pytest.mark.parametrize(
    "piece", ['{"answer":', '"answer": [', "a b c d e. ", "A: \n\n", "is ", '":\n"', "= 1\n"]
)
def test_a_huge_reply_is_read_in_the_end(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    for kind in ("label", "choice", "number", "boolean", "words", "text"):
        reader = answer_reader(kind, labels=["spam", "not spam"], targets=["yes"])
        for cut in (False, True):
            read_reply(reader, text, f"Is {text[:2000]}?\n(A) spam\n(B) not spam", cut=cut)
