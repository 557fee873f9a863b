"""Which words differ between two prompts. Knows no layout: terminal and page render the pieces their own way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive words, white space included, that both prompts have or only one of them."""

    kind: Literal["same", "removed", "added"]
    text: str


def word_diff(before: str, after: str) -> Iterator[Piece]:
    """The pieces of `before` and `after` in reading order, a removed piece before the added one in its place."""
    old, new = _words(before), _words(after)
    keys = [word.strip() for word in old], [word.strip() for word in new]
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Piece("same", "".join(new[j1:j2]))
            continue
        if i2 > i1:
            yield Piece("removed", "".join(old[i1:i2]))
        if j2 > j1:
            yield Piece("added", "".join(new[j1:j2]))


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*|\s+", text)
