"""The optimizer model's replies: whatever it writes is read, judged, and never held for a prompt that it is not."""

from __future__ import annotations

import unicodedata

from gpo.optimizer.candidates import Guard, normalise_prompt, read_candidate
from gpo.optimizer.reply import read_reply
from gpo.task.prompt import fill, find_placeholders, lay_out
from gpo.text import printable, shorten
from tests.fuzz.targets.target import Input, Target, text

LONGEST = 60_000
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_INITIAL = "Think about {question}. Reply in JSON."
_GUARD = Guard(
    examples=["one two three four five six seven eight nine ten", "Is it so? yes"],
    required=["question"],
    answers=["yes", "no"],
    initial=_INITIAL,
    columns=frozenset({"question", "hint"}),
    frozen=["Reply in JSON."],
)
_LOOSE = Guard(max_words=LONGEST)


def run(data: bytes) -> None:
    """The reply, some of them repeated to a length at which what is slow by its square shows."""
    read = Input(data)
    long, cut_off, limit = read.below(32) == 0, bool(read.below(2)), read.below(256)
    reply = text(read.rest())
    if long and reply:
        start, middle, end = [*reply.split("\x01", 2), "", ""][:3]
        reply = start + middle * (LONGEST // max(1, len(middle))) + end
    prompt = read_reply(reply)
    for guard in (_GUARD, _LOOSE):
        item = read_candidate(reply, _INITIAL, guard, limit=limit, cut_off=cut_off)
        if item.prompt != prompt or item.distance < 0:
            raise AssertionError("read twice, and differently")
        if item.rejected is None:
            _check(guard, prompt)
    line = shorten(reply, 60)
    if len(line) > 60 or any(unicodedata.category(character) in _UNSEEN for character in line):
        raise AssertionError("a line for a terminal that is none")
    if len(reply) < LONGEST:
        printable(prompt)


def _check(guard: Guard, prompt: str) -> None:
    """An accepted prompt is what the guard promises, and can be laid out and filled."""
    if not prompt.strip() or "<START>" in prompt or not normalise_prompt(prompt):
        raise AssertionError("accepted an empty prompt or a tag")
    if not set(guard.required) <= set(find_placeholders(prompt)) or any(
        f not in prompt for f in guard.frozen
    ):
        raise AssertionError("accepted a prompt without what it must keep")
    prompt.encode()
    fill(
        lay_out(prompt, "{question} {x}", "question_end", chat=True, frame="plain").text,
        {"question": "{hint}", "hint": "%s"},
    )


def seeds() -> list[bytes]:
    """Replies with and without tags, fences, quotes and leads, and long ones."""
    replies = [
        f"<START>{_INITIAL}<END>",
        f"Sure!\n<start>\nPrompt: Use {{hint}}. {_INITIAL}\n</START> and more",
        f'```text\n"{_INITIAL}"\n```',
        "New improved prompt: “one two three four five six seven eight nine”",
        "<START>yes<END>",
        "Score: 3\n<Prompt>",
        "plain words and {answer} {0} %s {",
        "<END>\u202e\x1b[2J",
    ]
    longer = [
        "<START>\x01a \x01<END>",
        "\x01<START>\x01",
        "new \x01improved \x01prompt",
        "```\x01\n\x01",
        "\x01{\x01",
    ]
    return [
        bytes([long, cut, 9]) + body.encode()
        for long, bodies in ((1, replies), (0, longer))
        for body in bodies
        for cut in (0, 1)
    ]


TARGET = Target(
    "candidate",
    run,
    seeds,
    tokens=[
        *(
            "<START>",
            "<END>",
            "</START>",
            "< prompt >",
            "```",
            "```text\n",
            "Prompt:",
            "new improved ",
            "Score:",
        ),
        *(
            "{question}",
            "{hint}",
            "{answer}",
            "{",
            "}",
            "Reply in JSON.",
            "\u202e",
            "\x1b[",
            "\x00",
            "\ufeff",
        ),
        *("one two three four five six seven eight", "“", "”", "«", "'", '"', "`", "\x01"),
    ],
    longest=600,
)
