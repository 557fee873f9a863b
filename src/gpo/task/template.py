"""A prompt's whole template: all that is sent with it, with a placeholder for every input.

The frame around the question is part of what was measured, so a prompt is handed on in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gpo.model.model import Message
from gpo.task.example import Example
from gpo.task.prompt import fill, find_placeholders, split_placeholders
from gpo.task.task import Opening, Task

TurnRole = Literal["system", "user", "assistant", "text"]


@dataclass(frozen=True, slots=True)
class TemplatePiece:
    """A piece of a turn: `text` as it stands, or the name of an input that is put in here."""

    text: str
    is_input: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn; with the role `text` a piece of the text that a base model continues, joined as it stands. A `fixed`
    one is a worked example: what stands in braces in it is the example's own and is never filled."""

    role: TurnRole
    content: str
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """`turns` with `inputs` as placeholders in braces: the columns of a row, and `input` for its whole question.
    `second_turn` asks for the bare answer after the first reply ("" where nothing does)."""

    turns: tuple[Turn, ...]
    inputs: tuple[str, ...]
    second_turn: str = ""

    def fill(self, fields: Mapping[str, str]) -> Opening:
        """What is sent for one row; `fields` are texts by the names of `inputs`, each put in once and never read
        again. Raises `KeyError` for an input that `fields` lacks."""
        values = {name: fields[name] for name in self.inputs}
        texts = [turn.content if turn.fixed else fill(turn.content, values) for turn in self.turns]
        if self.turns[0].role == "text":
            return "".join(texts)
        return tuple(
            Message(turn.role, text)
            for turn, text in zip(self.turns, texts, strict=True)
            if turn.role != "text"
        )

    def pieces(self, turn: Turn) -> tuple[TemplatePiece, ...]:
        """The content of `turn`, one of `turns`, as what stands in it and what is put into it."""
        return () if not turn.content else _pieces(turn.content, () if turn.fixed else self.inputs)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as in `best_template.json`."""
        messages = [
            {"role": turn.role, "content": turn.content, **({"fixed": True} if turn.fixed else {})}
            for turn in self.turns
        ]
        return {"messages": messages, "inputs": list(self.inputs), "second_turn": self.second_turn or None}

    @classmethod
    def from_dict(cls, data: Any) -> Template:
        """The inverse of `to_dict`. Raises `ValueError` where `data` is no template."""
        try:
            turns = tuple(
                Turn(turn["role"], turn["content"], bool(turn.get("fixed"))) for turn in data["messages"]
            )
            inputs, again = tuple(data["inputs"]), data.get("second_turn") or ""
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"is no template ({type(error).__name__}: {error})") from None
        texts: list[Any] = [*inputs, again, *(turn.content for turn in turns), *(turn.role for turn in turns)]
        if not turns or not all(isinstance(text, str) for text in texts):
            raise ValueError("is no template: it holds something else than texts")
        roles = {turn.role for turn in turns}
        if roles != {"text"} and not roles <= {"system", "user", "assistant"}:
            raise ValueError("is no template: its turns are not those of a chat or of a text")
        return cls(turns, inputs, again)


def make_template(task: Task, prompt: str) -> Template:
    """The template that `task` puts `prompt` into."""
    columns = {name for example in task.splits.train for name in example.fields if name != "input"}
    fields = {name: f"{{{name}}}" for name in columns} | {"input": task.question}
    row = Example("", task.question, "", fields)
    if task.chat:
        opening = task.opening(prompt, row)
        assert not isinstance(opening, str)
        last = len(opening) - 1
        turns = tuple(
            Turn(message.role, message.content, fixed=message.role != "system" and index < last)
            for index, message in enumerate(opening)
        )
    else:
        turns = tuple(Turn("text", text, fixed=fixed) for text, fixed in task.text_parts(prompt, row))
    named = dict.fromkeys(
        name for turn in turns if not turn.fixed for name in find_placeholders(turn.content)
    )
    again = (task.answer.request if task.chat else task.answer.continuation) if task.asks_again else ""
    return Template(turns, tuple(name for name in named if name in columns | {"input"}), again)


def _pieces(content: str, inputs: Sequence[str]) -> tuple[TemplatePiece, ...]:
    found: list[TemplatePiece] = []
    for text, name in split_placeholders(content):
        known = name in inputs
        literal = text if known or not name else f"{text}{{{name}}}"
        if literal and found and not found[-1].is_input:
            found[-1] = TemplatePiece(found[-1].text + literal)
        elif literal:
            found.append(TemplatePiece(literal))
        if known:
            found.append(TemplatePiece(name, is_input=True))
    return tuple(found)
