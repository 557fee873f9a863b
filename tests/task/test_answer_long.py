"""Reading answers out of long replies made to hurt: no reader's time grows with the square of a reply's length."""

from __future__ import annotations

from typing import Any

import pytest

from gpo.task.answer import Prediction, answer_reader

LONG = 200_000
ALL = "the whole reply"
OPTIONS = "Which one?\n(A) red\n(B) blue"


@pytest.mark.parametrize(
    ("kind", "head", "piece", "tail", "expected"),
    [
        ("choice", "answer", " ", "!", None),
        ("choice", "option", " ", "A x", "A"),
        ("choice", '{"answer": "(A)', "/", 'x (B)"}', "A"),
        ("label", '{"answer": "red', "|", 'x blue"}', "red"),
        ("text", "Known as an AI", " ", "x", ALL),
        ("text", "Known as an AI", " \n", ", x", ALL),
        ("text", 'Here:\n"x"', " ", "y", ALL),
        ("text", 'Here:\n"x"', "*", "y", ALL),
    ],
)
def test_a_reply_of_one_piece_over_and_over_is_read_in_the_end(
    kind: Any, head: str, piece: str, tail: str, expected: Prediction
) -> None:
    # A quadratic rule would run for minutes here, into the test's time-out.
    reply = head + piece * (LONG // len(piece)) + tail
    found = answer_reader(kind, labels=["red", "blue"]).read(reply, OPTIONS)
    assert found == (reply if expected == ALL else expected)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("The answer is (A) or (B).", None),
        ("The answer is (A)/(B).", None),
        ("The answer is (A) | (B).", None),
        ("The answer is (A) / or (B).", None),
        ("answer :  (B)", "B"),
        ("Option  b", "B"),
    ],
)
def test_two_options_at_once_settle_on_neither(reply: str, expected: Prediction) -> None:
    assert answer_reader("choice").read(reply, OPTIONS) == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("As an AI language model, I cannot say.", None),
        ("Well, as an AI I cannot say.", None),
        ("He works as an AI engineer.", "He works as an AI engineer."),
        ('Here it is:\n"A cat sat."  **', "A cat sat."),
    ],
)
def test_texts_are_read_as_ever(reply: str, expected: Prediction) -> None:
    assert answer_reader("text").read(reply) == expected
