"""Where the prompt stands: a prompt and a question become a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gpo.task.program.parts import split_parts

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


def beside_system(position: Position) -> Position:
    """Where the prompt of the user turn stands, which is not the system turn's."""
    return "question_end" if position == "system" else position


@dataclass(frozen=True, slots=True)
class PromptPlace:
    """Where the prompts of a task stand beside its questions.

    `input_columns` are those that a question is made of, `parts` the names of the prompts where there are several:
    those of the system and of the user turn.
    """

    position: Position
    frame: Frame
    chat: bool
    input_columns: tuple[str, ...]
    parts: tuple[str, ...] = ()

    @property
    def has_frame(self) -> bool:
        """Whether an answer begins behind `A:`."""
        return self.frame == "qa" or self.position == "answer_begin"

    def lay_out(self, prompt: str, question: str, fields: Mapping[str, str]) -> Layout:
        """`prompt`, with its placeholders filled from `fields`, beside `question`."""
        if len(self.parts) > 1:
            return self._lay_out_parts(prompt, question, fields)
        text = fill(prompt, fields)
        if is_template(prompt, self.input_columns):
            return Layout(text.strip())
        return lay_out(text, question, self.position, chat=self.chat, frame=self.frame)

    def show(self, slot: str, question: str, part: str | None = None) -> str:
        """`question` as one text with `slot` where the prompt stands, or the one of several that `part` names."""
        if part is None:
            return lay_out(slot, question, self.position, chat=False, frame=self.frame).text
        position: Position = "before_question" if part == "system" else beside_system(self.position)
        return lay_out(slot, question, position, chat=False, frame="plain").text

    def _lay_out_parts(self, prompt: str, question: str, fields: Mapping[str, str]) -> Layout:
        parts = split_parts(prompt, self.parts)
        system, text = (fill(parts[name], fields) for name in ("system", "user"))
        if is_template(parts["user"], self.input_columns):
            return Layout(text.strip(), system.strip())
        laid = lay_out(text, question, beside_system(self.position), chat=True, frame=self.frame)
        return Layout(laid.text, system.strip())


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
