"""Demonstrations within one of several prompts: the block of a single prompt, at the end of that part's text.

    <Part answer>
    Answer the question.

    <Demonstrations>
    {"input": "Where is my parcel?", "answer": "at the depot"}
    </Demonstrations>
    </Part>

A program gets the part as it stands, block and all: what was scored is what a user's own code is given later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gpo.task.demonstrations import Demonstration, join_prompt, split_prompt
from gpo.task.program.parts import part_of, split_parts, with_part


@dataclass(frozen=True, slots=True)
class PartPlace:
    """The one of several prompts, which are called `names`, that demonstrations stand in: `part`."""

    names: tuple[str, ...]
    part: str


def join_shown(words: str, demonstrations: Sequence[Demonstration], place: PartPlace | None) -> str:
    """One text of both; `place` None is the end of the whole."""
    if place is None or not demonstrations:
        return join_prompt(words, demonstrations)
    text = join_prompt(part_of(words, place.names, place.part), demonstrations)
    return with_part(words, place.names, place.part, text)


def split_shown(prompt: str, names: Sequence[str]) -> tuple[str, tuple[Demonstration, ...], PartPlace | None]:
    """The inverse: words, demonstrations, and which part of `names` has them. Those of a second part are its words.
    Raises `ConfigError` where `prompt` lacks a part."""
    if len(names) < 2:
        return (*split_prompt(prompt), None)
    for name, text in split_parts(prompt, names).items():
        words, found = split_prompt(text)
        if found:
            return with_part(prompt, names, name, words), found, PartPlace(tuple(names), name)
    return prompt, (), None
