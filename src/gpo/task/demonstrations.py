"""Demonstrations within a prompt: worked examples that belong to one prompt, and are written down in its text.

    Answer with the label alone.

    <Demonstrations>
    {"input": "Where is my parcel?", "answer": "delivery"}
    {"input": "I want my money back.", "answer": "refund"}
    </Demonstrations>

The words are what is asked; the task lays the demonstrations out as turns, or before the question for a base model. So
one text says all of a prompt, wherever a prompt is kept, shown or handed on. JSON lines, because a row is any text: it
may hold the marks of every other form.

Of several prompts each may have demonstrations of its own, which are written down at the end of that part's text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gpo.task.example import Example
from gpo.task.program.parts import change_parts

BEGIN, END = "<Demonstrations>", "</Demonstrations>"
_FIELDS = "fields"


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A question with its right answer; `fields` are the columns that a prompt with placeholders is filled with. `part`
    is the prompt of several that it belongs to, "" where there are not several."""

    input: str
    answer: str
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)
    part: str = ""

    @property
    def example(self) -> Example:
        """As a row of the task."""
        return Example("", self.input, self.answer, {**self.fields, "input": self.input})


def split_prompt(prompt: str) -> tuple[str, tuple[Demonstration, ...]]:
    """The words of `prompt` and its demonstrations. What only looks like a list of them is words."""
    head, mark, tail = prompt.partition(BEGIN)
    if not mark or not tail.rstrip().endswith(END):
        return prompt, ()
    lines = tail.rstrip().removesuffix(END).split("\n")
    found = [_read(line) for line in lines if line.strip()]
    if not found or None in found:
        return prompt, ()
    return head.rstrip(), tuple(item for item in found if item is not None)


def split_named(prompt: str, names: Sequence[str]) -> tuple[str, tuple[Demonstration, ...]]:
    """The same of a prompt with the parts `names`, each demonstration with the part that it stands in."""
    if len(names) < 2:
        return split_prompt(prompt)
    found: list[Demonstration] = []

    def divide(part: str, text: str) -> str:
        words, own = split_prompt(text)
        found.extend(replace(item, part=part) for item in own)
        return words

    return change_parts(prompt, divide), tuple(found)


def join_prompt(words: str, demonstrations: Sequence[Demonstration]) -> str:
    """One text of both, demonstrations of a part in that part; `words` alone where there are none."""
    if any(item.part for item in demonstrations):
        own = {
            part: [item for item in demonstrations if item.part == part] for part in _parts(demonstrations)
        }
        return change_parts(words, lambda part, text: _join(text, own.get(part, ())))
    return _join(words, demonstrations)


def _parts(demonstrations: Sequence[Demonstration]) -> list[str]:
    return list(dict.fromkeys(item.part for item in demonstrations))


def _join(words: str, demonstrations: Sequence[Demonstration]) -> str:
    if not demonstrations:
        return words
    block = "\n".join([BEGIN, *map(_line, demonstrations), END])
    return f"{words.rstrip()}\n\n{block}" if words.strip() else block


def _line(item: Demonstration) -> str:
    data: dict[str, object] = {"input": item.input, "answer": item.answer}
    if item.fields:
        data[_FIELDS] = dict(item.fields)
    return json.dumps(data, ensure_ascii=False)


def _read(line: str) -> Demonstration | None:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not {"input", "answer"} <= data.keys() <= {"input", "answer", _FIELDS}:
        return None
    fields = data.get(_FIELDS, {})
    texts = [data["input"], data["answer"], *(fields.values() if isinstance(fields, dict) else [None])]
    if not all(isinstance(text, str) for text in texts):
        return None
    return Demonstration(data["input"], data["answer"], fields)
