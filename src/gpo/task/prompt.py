"""Where the prompt stands: a prompt and a question become a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Position = Literal["before_question", "question_begin", "question_end", "answer_begin", "system"]
Frame = Literal["plain", "qa"]
SLOT = "<Prompt>"

_PLACEHOLDER = re.compile(r"\{([^\W\d][\w.-]*(?: [\w.-]+)*)\}")


@dataclass(frozen=True, slots=True)
class Layout:
    """A prompt that met a question: `text` is the user turn or, for a base model, the text to continue; `system` is
    the system turn ("" for none)."""

    text: str
    system: str = ""


def find_placeholders(prompt: str) -> tuple[str, ...]:
    """The names in braces within `prompt`, each once, in their order."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(prompt)))


def split_placeholders(prompt: str) -> list[tuple[str, str]]:
    """`prompt` as pairs of a text and the name in braces that follows it, "" after the last one."""
    parts = [*_PLACEHOLDER.split(prompt), ""]
    return list(zip(parts[::2], parts[1::2], strict=True))


def fill(prompt: str, fields: Mapping[str, str]) -> str:
    """`prompt` with every `{name}` of `fields` replaced, in one pass: braces within a value are left alone, and so is
    a name that `fields` lacks."""
    return _PLACEHOLDER.sub(lambda match: fields.get(match[1], match[0]), prompt)


def is_template(prompt: str, input_columns: tuple[str, ...]) -> bool:
    """Whether `prompt` itself holds the question: `{input}`, or every column that the question is made of."""
    names = set(find_placeholders(prompt))
    return "input" in names or (bool(input_columns) and names.issuperset(input_columns))


def lay_out(prompt: str, question: str, position: Position, *, chat: bool, frame: Frame) -> Layout:
    """`prompt` and `question` at the chosen position, in the frame `Q: … A:` or in none. An empty prompt leaves no
    trace. `answer_begin` always has the frame: without one no answer begins anywhere."""
    prompt = prompt.strip()
    if position == "system" and chat:
        return Layout(question, prompt)
    if frame == "plain" and position != "answer_begin":
        return Layout(_plain(prompt, question, position))
    asked = f"Q: {question}\nA:"
    if not prompt:
        return Layout(asked)
    match position:
        case "before_question" | "system":
            return Layout(f"{prompt}\n\n{asked}")
        case "question_begin":
            return Layout(f"Q: {prompt}\n{question}\nA:")
        case "question_end":
            return Layout(f"Q: {question}\n{prompt}\nA:")
        case "answer_begin":
            return Layout(f"Q: {question}\nA: {prompt}")


def _plain(prompt: str, question: str, position: Position) -> str:
    if not prompt:
        return question
    match position:
        case "question_end":
            return f"{question}\n{prompt}"
        case "question_begin":
            return f"{prompt}\n{question}"
        case _:
            return f"{prompt}\n\n{question}"
