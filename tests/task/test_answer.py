"""Reading answers: what a person would read from a reply is what is read, and nothing where they could not tell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.errors import ConfigError
from gpo.task.answer import AnswerReader, Prediction, answer_reader

OPTIONS = 'What does "he" refer to?\n(A) Steve\n(B) Fred\n(C) The old man'

BOOLEAN: list[tuple[str, Prediction]] = [
    ("Yes", "yes"),
    ("no.", "no"),
    ("**No**", "no"),
    ("(Yes)", "yes"),
    ("True", "yes"),
    ("No, because the steps do not cancel.", "no"),
    ("Yes, it is plausible. There is no doubt.", "yes"),
    ("The answer is no. Yes would need four steps.", "no"),
    ("Is it yes or no?\nLet us see: 3 - 3 = 0.\nSo the answer is Yes.", "yes"),
    ("First I thought the answer is no.\nBut the final answer: **Yes**", "yes"),
    ("#### No", "no"),
    ("$\\boxed{\\text{Yes}}$", "yes"),
    ("One step is yes and one no.\nTherefore: no", "no"),
    ("Yes or no?", None),
    ("The answer is yes or no.", None),
    ("I do not know.", None),
    ("Nothing yesterday", None),
    ("", None),
    ("   \n ", None),
]


@pytest.mark.parametrize(("reply", "expected"), BOOLEAN)
def test_yes_and_no(reply: str, expected: Prediction) -> None:
    assert answer_reader("boolean", targets=["Yes", "No"]).read(reply) == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("The argument is not deductively valid.", "invalid"),
        ("The argument isn't valid", "invalid"),
        ("valid", "valid"),
        ("This argument is deductively valid.", "valid"),
        ("It could be valid or invalid.", None),
    ],
)
def test_the_words_of_the_targets_are_the_vocabulary(reply: str, expected: Prediction) -> None:
    reader = answer_reader("boolean", targets=["valid", "invalid "])
    assert reader.read(reply) == expected
    assert reader.form == "Valid or Invalid"


LABELS = ["spam", "not spam", "account-access", "C++"]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Not Spam", "not spam"),
        ("This is not spam at all.", "not spam"),
        ("I would call this SPAM.", "spam"),
        ("spam, not something else", "spam"),
        ("Label: account access", "account-access"),
        ("account_access", "account-access"),
        ("C++", "C++"),
        ("it is written in c++.", "C++"),
        ("spammer", None),
        ("non-spam", None),
        ("Either spam or not spam.", None),
        ("spam? no: the category is not spam.", "not spam"),
    ],
)
def test_labels_are_whole_words_and_the_longest_wins(reply: str, expected: Prediction) -> None:
    assert answer_reader("label", labels=LABELS).read(reply) == expected


def test_a_denied_label_is_not_an_answer() -> None:
    reader = answer_reader("label", labels=["refund", "delivery"])
    assert reader.read("This is not a refund.") is None
    assert reader.read("This is not a refund but a delivery.") == "delivery"


def test_labels_that_differ_only_in_case_or_separator_are_read_exactly() -> None:
    reader = answer_reader("label", labels=["US", "us", "a-b", "a b"])
    assert [reader.read(text) for text in ("US", "us", "a-b", "a b", "Us")] == [
        "US",
        "us",
        "a-b",
        "a b",
        None,
    ]


def test_labels_come_from_the_targets_where_none_are_given() -> None:
    reader = answer_reader("label", targets=["b", "a", "b"])
    assert reader.form == "one of: a, b"
    with pytest.raises(ConfigError, match="no labels are given"):
        answer_reader("label")
    with pytest.raises(ConfigError, match="300 different texts"):
        answer_reader("label", targets=[f"text {n}" for n in range(300)])


CHOICES: list[tuple[str, Prediction]] = [
    ("(B)", "B"),
    ("b", "B"),
    ("B.", "B"),
    ("B)", "B"),
    ("Option B", "B"),
    ("(B) Fred", "B"),
    ("B. Fred", "B"),
    ("Fred", "B"),
    ("The pronoun refers to Fred.", "B"),
    ("The answer is B because Fred acts.", "B"),
    ("The answer is (B), not (A).", "B"),
    ("It is not (A) but (B).", "B"),
    ("The correct option is: **(C) The old man**", "C"),
    ("A man walks in. The answer is C.", "C"),
    ("Answer: A", "A"),
    ("(A) Steve\n(B) Fred\n(C) The old man\n\nAnswer: (C)", "C"),
    ("(A) Steve\n(B) Fred\n(C) The old man", None),
    ("(A) or (B)", None),
    ("The answer is B or C.", None),
    ("A dog barks.", None),
    ("(D)", None),
    ("I cannot say", None),
]


@pytest.mark.parametrize(("reply", "expected"), CHOICES)
def test_choices(reply: str, expected: Prediction) -> None:
    assert answer_reader("choice").read(reply, OPTIONS) == expected


@pytest.mark.parametrize("target", ["(B)", "B", "b)", "B. Fred", "Fred", "fred."])
def test_targets_of_choices(target: str) -> None:
    assert answer_reader("choice").normal(target, OPTIONS) == "B"


NUMBERS: list[tuple[str, Prediction]] = [
    ("18", 18.0),
    ("$18.50", 18.5),
    ("-7", -7.0),
    ("−7", -7.0),
    ("-$1,234.5", -1234.5),
    ("1,234,567", 1234567.0),
    ("50%", 50.0),
    ("1/2", 0.5),
    ("eight", 8.0),
    ("You have eight instruments.", 8.0),
    ("16 - 3 = 13 eggs", 13.0),
    ("16 - 3", 3.0),
    ("She pays 3 dollars for 4 days, so 12 dollars in all.", 12.0),
    ("The answer is 18 dollars for 7 days. Check: 18 * 7 = 126.", 18.0),
    ("Answer: 9 * 2 = $18 a day", 18.0),
    ("3 + 4 = 7\n#### 7", 7.0),
    ("So \\boxed{\\frac{3}{4}}.", 0.75),
    ("He came 3rd and has 5", 5.0),
    ("On the 13th", None),
    ("1. Add 2 and 3.\n2. Get 5.", 5.0),
    ("none at all", None),
    ("1/0", None),
    ("9" * 400, None),
]


@pytest.mark.parametrize(("reply", "expected"), NUMBERS)
def test_numbers(reply: str, expected: Prediction) -> None:
    assert answer_reader("number").read(reply) == expected


@pytest.mark.parametrize(
    ("target", "value"),
    [(18, 18.0), ("18", 18.0), ("1,234", 1234.0), ("$18.50", 18.5), (0.25, 0.25), ("-3", -3.0)],
)
def test_targets_of_numbers(target: Any, value: float) -> None:
    assert answer_reader("number").normal(target) == value


@pytest.mark.parametrize(
    "reply",
    [
        "apple pear zoo",
        "apple, pear, zoo.",
        "apple, pear, and zoo",
        "1. apple\n2. pear\n3. zoo",
        "- Apple\n- pear\n- zoo",
        "Sorted: apple pear zoo",
        "Here is the sorted list:\n\n1. apple\n2. pear\n3. zoo\n\nI hope this helps!",
        "First I compare letters.\n\nThe sorted words are: **apple, pear, zoo**",
        'The answer is "apple" "pear" "zoo".',
        "Answer:\napple\npear\nzoo",
        "apple -> pear -> zoo",
    ],
)
def test_words_in_order(reply: str) -> None:
    assert answer_reader("words").read(reply) == ("apple", "pear", "zoo")


def test_words_keep_brackets_and_a_wrong_order() -> None:
    reader = answer_reader("words")
    assert reader.read("] > )") == ("]", ">", ")")
    assert reader.read("pear apple") == ("pear", "apple")
    assert reader.read(" \n") is None


def test_text_is_the_whole_reply() -> None:
    reader = answer_reader("text")
    assert reader.read("  A fluent sentence. \n") == "A fluent sentence."
    assert reader.read("Answer: 12 apples") == "12 apples"
    assert reader.read("\n") is None


KINDS: list[AnswerReader] = [
    answer_reader("boolean", targets=["Yes", "No"]),
    answer_reader("label", labels=LABELS),
    answer_reader("choice"),
    answer_reader("number"),
    answer_reader("words"),
    answer_reader("text"),
]
ANYTHING = st.text(st.characters(), max_size=80) | st.text("()AB12/$%.,-=*_\\{}#:\n answeristo", max_size=60)


@given(ANYTHING, ANYTHING)
def test_no_text_breaks_a_reader(reply: str, question: str) -> None:
    for reader in KINDS:
        reader.read(reply, question)


@given(
    st.sampled_from(LABELS),
    st.sampled_from(["{}", "The answer is {}.", "**{}**", "I think so.\nAnswer: {}", "{}\n"]),
)
def test_a_label_is_read_back_from_any_usual_form(label: str, form: str) -> None:
    assert answer_reader("label", labels=LABELS).read(form.replace("{}", label)) == label


@given(st.floats(-1e9, 1e9).map(lambda value: round(value, 3)))
def test_a_number_is_read_back(value: float) -> None:
    for text in (f"{value:f}", f"{value:,.3f}", f"The answer is {value:.3f}.", f"\\boxed{{{value:.3f}}}"):
        assert answer_reader("number").read(text) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(
    "piece",
    [
        "_",
        "-",
        " ",
        "\n",
        "9",
        "1,",
        "(A",
        "\\boxed{",
        "answer ",
        "**",
        "not ",
        "and ",
        ", and ",
        "/",
        "A.\n",
        "\x00",
        "\ud800",
    ],
)
def test_a_huge_reply_is_read_in_the_end(piece: str) -> None:
    # A quadratic rule would run for hours here, into the test's time-out.
    for reader in KINDS:
        reader.read((piece * 60_000)[:60_000], OPTIONS)
