"""Reading answers: whatever a model says, every kind gives an answer or None, and in time."""

from __future__ import annotations

from gpo.errors import GPOError
from gpo.task.answer import AnswerReader, answer_reader
from gpo.task.metrics.rouge import rouge_l
from tests.fuzz.targets.target import Input, Target, own, text

KINDS = ("label", "choice", "number", "boolean", "words", "text")
LONGEST = 60_000
"""Characters of a reply that repeats itself: what is slow by its square shows there."""


def run(data: bytes) -> None:
    """Labels, question and reply are divided by NULs; a reply may be repeated to a length at which it hurts."""
    read = Input(data)
    kind = KINDS[read.below(len(KINDS))]
    long = read.below(32) == 0
    labels, question, reply = [*text(read.rest()).split("\x00", 2), "", ""][:3]
    if long and reply:
        start, middle, end = [*reply.split("\x01", 2), "", ""][:3]
        reply = start + middle * (LONGEST // max(1, len(middle))) + end
    targets = labels.split("|")
    try:
        reader = answer_reader(kind, labels=targets if kind == "label" else (), targets=targets)  # type: ignore[arg-type]
    except GPOError as error:
        own(error)
        return
    answer = reader.read(reply, question)
    if answer is not None and answer != answer:
        raise AssertionError("the answer is not a number")
    if isinstance(answer, str | float):
        _normal(reader, answer, question)
    for target in targets:
        _normal(reader, target, question)
    if not long:
        rouge_l(reply, question)


def _normal(reader: AnswerReader, target: str | float, question: str) -> None:
    try:
        reader.normal(target, question)
    except ValueError as error:
        # The reader's own word for a target that it cannot be; the caller adds the row.
        if not str(error) or type(error) is not ValueError:
            raise


def seeds() -> list[bytes]:
    """Replies of every kind, and the beginnings of long ones."""
    question = "Which?\n(A) cat\n(B) dog"
    replies = [
        "yes|no\x00\x00**Answer:** Yes, because it is not no.",
        "a b|a-b\x00\x00Label: a b or a-b",
        f"A|B\x00{question}\x00The answer is (B). (A) cat\n(B) dog",
        "1|2\x00\x00So 1,234.5e3 / 7 = \\boxed{\\frac{1}{2}} \N{MINUS SIGN}3 #### 12",
        "a b c\x00\x00Sorted:\n\n1. a\n2. b, and c",
        "x\x00\x00Answer: whatever",
    ]
    longer = [
        "x|y\x00\x00answer \x01a \x01is",
        "1\x00\x00\x011,\x01",
        "a\x00\x00\x01**\x01",
        "\x00\x00\x01\n \x01x",
    ]
    return [
        bytes([kind, long]) + body.encode()
        for long, bodies in ((1, replies), (0, longer))
        for body in bodies
        for kind in range(len(KINDS))
    ]


TARGET = Target(
    "answer",
    run,
    seeds,
    tokens=[
        *(
            "answer is",
            "answer:",
            "#### ",
            "\\boxed{",
            "\\text{",
            "\\frac{1}{2}",
            "**",
            "__",
            "```",
            "not ",
            "n't ",
        ),
        *(
            " or ",
            "option",
            "choice",
            "label:",
            "(A)",
            "B.",
            "C)",
            "1,234",
            "1e9",
            "$5",
            "½",
            "٣",
            "²",
            "ß",
            "İ",
        ),
        *(
            "sorted",
            "final",
            ", and ",
            "->",
            "- ",
            "1. ",
            "yes",
            "no",
            "invalid",
            "implausible",
            "\x00",
            "\x01",
        ),
    ],
    longest=600,
)
