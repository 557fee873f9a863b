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
    ("So \\boxed{\\frac{-3}{4}}.", -0.75),
    ("So \\boxed{1{,}250{,}000}.", 1_250_000.0),
    ("She earns \\(10\\,000\\) dollars.", 10_000.0),
    ("\\boxed{\\$1,\\!000}", 1000.0),
    ("He came 3rd and has 5", 5.0),
    ("On the 13th", None),
    ("1. Add 2 and 3.\n2. Get 5.", 5.0),
    ("none at all", None),
    ("5 MILLION", 5_000_000.0),
    ("5 m\u0131llion", 5.0),
    ("5 thou\u017fand", 5.0),
    ("So the area is 20 m^2.", 20.0),
    ("It is 9.8 m/s^{2}", 9.8),
    ("a rate of 5 s^-1", 5.0),
    ("The answer is x^2.", None),
    ("1/0", None),
    ("9" * 400, None),
]


@pytest.mark.parametrize(("reply", "expected"), NUMBERS)
def test_numbers(reply: str, expected: Prediction) -> None:
    assert answer_reader("number").read(reply) == expected


TURN = "Turn around. Take 2 steps. Do you return to the starting point?"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("You have no net displacement, so you are back at the starting point.", None),
        ("There is no doubt that you return to the starting point.", "yes"),
        ("There is no way that you return to the starting point.", None),
        ("All steps cancel with no steps left over. You return to the starting point.", "yes"),
        ("No doubt about that. Yes.", "yes"),
        ("The answer is yes, there are no steps left over.", "yes"),
        ("No, you have no steps left.", "no"),
        ("So it is: no", "no"),
        ("No because two steps are left.", "no"),
        ("The answer is no in this case.", "no"),
        ("The answer is no given that two steps are left.", "no"),
        ("No for the following reason: two steps are left.", "no"),
        ("There is no in-between, so I cannot say.", None),
        ("The answer is no.", "no"),
        ("Yes or no?", None),
        ("It is no or yes.", None),
    ],
)
def test_no_before_a_noun_is_not_an_answer(reply: str, expected: Prediction) -> None:
    assert answer_reader("boolean", targets=["Yes", "No"]).read(reply, TURN) == expected


@pytest.mark.parametrize(
    ("kind", "reply", "expected"),
    [
        (
            "boolean",
            "To answer whether the argument is valid, we look at the premises. All is given. "
            "Hence the argument is invalid.",
            "invalid",
        ),
        ("number", "To answer this, we first note that there are 5 apples and 3 pears. 5 + 3 = 8.", 8.0),
        (
            "number",
            "To find the answer, we add the eggs that are left: 16 - 3 = 13. She sells them and gets 26.",
            26.0,
        ),
        ("number", "To find the answer we add what is left: 16 - 3 = 13. She sells them and gets 26.", 26.0),
        ("number", "I answer that there are 5 apples and 3 pears. 5 + 3 = 8", 8.0),
        ("number", "To answer the question: 8, for 3 and 5 are 8 and not 9", 8.0),
        ("number", "The answer, therefore, is 8, and not 9", 8.0),
        ("number", "The answer that fits best is 8, and 9 does not.", 8.0),
        ("number", "The answer to the question of the 3 eggs is 8 and there are 9 more.", 8.0),
    ],
)
def test_speaking_of_answering_announces_nothing(kind: Any, reply: str, expected: Prediction) -> None:
    assert answer_reader(kind, targets=["valid", "invalid"]).read(reply) == expected


@pytest.mark.parametrize(
    ("kind", "reply", "expected"),
    [
        ("choice", "The answer cannot be (A) because Steve sleeps. It must be (B).", "B"),
        ("choice", "The answer can't be (A). It must be (B).", "B"),
        ("choice", "The answer isn't (A), it is (B).", "B"),
        ("choice", "The answer is not (A).", None),
        ("choice", "The answer is (B). The answer cannot be (A).", "B"),
        ("choice", "It is not **(A)**. It must be (B).", "B"),
        ("label", "The answer would not be refund. This is delivery.", "delivery"),
        ("label", "The answer is not refund but delivery.", "delivery"),
        ("label", "It is not **refund**.", None),
        ("number", "The answer cannot be 5. It must be 7.", 7.0),
        ("number", "The answer cannot be 5.", None),
        ("number", "The answer is not 12, it is 15.", 15.0),
        ("number", "The answer isn't 12, it is 15.", 15.0),
        ("number", "It is 15 and does not equal 12.", 15.0),
        ("number", "The answer is not 12.", None),
        ("number", "It is **15** and not **12**.", 15.0),
    ],
)
def test_what_is_denied_behind_a_marker_is_not_the_answer(
    kind: Any, reply: str, expected: Prediction
) -> None:
    assert answer_reader(kind, labels=["refund", "delivery"]).read(reply, OPTIONS) == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("twenty-five", 25.0),
        ("She has twenty five.", 25.0),
        ("one hundred", 100.0),
        ("a hundred and five", 105.0),
        ("two thousand three hundred and forty-one", 2341.0),
        ("one million two thousand", 1_002_000.0),
        ("five hundred thousand", 500_000.0),
        ("two dozen", 24.0),
        ("half a dozen", None),
        ("two and a half", None),
        ("three point five", None),
        ("two thirds", None),
        ("twenty-fifth", None),
        ("a few hundred", None),
        ("two thousand million", None),
        ("negative five", -5.0),
        ("five minus three", 3.0),
        ("two and three", 3.0),
        ("You have seven instruments, one of which is a flute", 7.0),
        ("no one knows", None),
    ],
)
def test_numbers_in_words(reply: str, expected: Prediction) -> None:
    assert answer_reader("number").read(reply) == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("3 1/2", 3.5),
        ("The answer is 3 1/2 cups.", 3.5),
        ("So \\boxed{3\\frac{1}{2}}.", 3.5),
        ("8 = 5 + 3", 8.0),
        ("The answer is 8 = 5 + 3.", 8.0),
        ("The answer is 2 * 4 = 5 + 3.", None),
        ("The answer is 5 + 3 = 8.", 8.0),
        ("1 250 dollars", 1250.0),
        ("1\u00a0250\u00a0300,", 1250300.0),
        ("1 250 300.5", 1250300.5),
        ("250 000", 250000.0),
        ("100 200", None),
        ("The answer is 1 250 dollars.", 1250.0),
        ("10^6", 1e6),
        ("The answer is 10^{6}.", 1e6),
        ("3 × 10^6 of them", 3e6),
        ("2.5 * 10^-3", 0.0025),
        ("10**6", 1e6),
        ("2 ** 5", 32.0),
        ("10^n", None),
        ("10^999", None),
        ("-2^2", None),
        ("10²", None),
        ("3½", 3.5),
        ("3:45", None),
        ("The answer is 3:45 pm.", None),
        ("5 million", 5e6),
        ("$1.5 million.", 1.5e6),
        ("It takes 2 **5 minute** walks", 5.0),
    ],
)
def test_numbers_of_several_parts(reply: str, expected: Prediction) -> None:
    assert answer_reader("number").read(reply) == expected


def spelled_out(value: int) -> str:
    """English for 1 to 999,999, made another way than it is read: a table of words and places."""
    small = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    words = [*small.split(), "seventeen", "eighteen", "nineteen"]
    tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    if value >= 1000:
        rest = f" {spelled_out(value % 1000)}" if value % 1000 else ""
        return f"{spelled_out(value // 1000)} thousand{rest}"
    if value >= 100:
        return f"{words[value // 100 - 1]} hundred" + (
            f" and {spelled_out(value % 100)}" if value % 100 else ""
        )
    if value < 20:
        return words[value - 1]
    return tens[value // 10 - 2] + (f"-{words[value % 10 - 1]}" if value % 10 else "")


@given(st.integers(1, 999_999))
def test_a_number_in_words_is_read_back(value: int) -> None:
    assert answer_reader("number").read(f"The answer is {spelled_out(value)}.") == value


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
        "Sorted: 1. apple 2. pear 3. zoo",
        "The answer is 1) apple, 2) pear, 3) zoo",
        "1. apple 2. pear 3. zoo",
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
    assert reader.read("zoo 3) 1) )") == ("zoo", "3)", "1)", ")")
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
        "no ",
        "one hundred and ",
        "a dozen ",
        "10^",
        "1 250 ",
        "1 * 10^6 ",
        "answer that ",
        "to find the answer ",
        "1:",
    ],
)
def test_a_huge_reply_is_read_in_the_end(piece: str) -> None:
    # A quadratic rule would run for hours here, into the test's time-out.
    for reader in KINDS:
        reader.read((piece * 60_000)[:60_000], OPTIONS)
