"""What every contender is asked: the same system prompt, the same questions, the same token limit.

The first line of a question is the same in all of them, because promptolution puts its prompt in front of the question
within one turn.
"""

from __future__ import annotations

from dataclasses import dataclass

SYSTEM = "You are a careful assistant. Think about the question, then answer it."
LEAD = "Answer the question with Yes or No and nothing else."
MAX_TOKENS = 256
MODEL = "benchmark"

_STORY = (
    "Turn around. Take {a} steps forward. Turn right. Take {b} steps. Turn right. Take {c} steps. Turn left. "
    "Take {d} steps forward. Turn around. Take {e} steps."
)


@dataclass(frozen=True, slots=True)
class Question:
    """`text` follows `LEAD`; `expected` is "yes" or "no", and the server always says "Yes"."""

    text: str
    expected: str

    @property
    def user(self) -> str:
        """The user's turn."""
        return f"{LEAD}\n{self.text}"

    @property
    def messages(self) -> list[dict[str, str]]:
        """The whole chat on the wire."""
        return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": self.user}]


def questions(count: int, first: int = 0) -> list[Question]:
    """`count` different questions from number `first` on, the right answer to every other one "yes"."""
    return [_question(number) for number in range(first, first + count)]


def right(reply: str, expected: str) -> bool:
    """The metric where a contender brings none of its own."""
    return reply.strip().lower() == expected


def _question(number: int) -> Question:
    steps = {name: number // 7**place % 7 + 1 for place, name in enumerate("abcde")}
    text = f"Walk {number}: if you follow these instructions, do you return to the start? {_STORY.format(**steps)}"
    return Question(text, "yes" if number % 2 == 0 else "no")
