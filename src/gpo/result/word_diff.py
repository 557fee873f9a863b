"""Which words differ between two prompts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_MOST_PAIRS = 1_000_000
"""Pairs of words up to which words are matched one by one; matching takes at least that many operations."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive words, white space included, that both prompts have or only one of them."""

    kind: Literal["same", "removed", "added"]
    text: str


def compare_words(before: str, after: str) -> Iterator[Piece]:
    """The pieces of `before` and `after` in reading order, a removed piece before the added one in its place."""
    old, new = _words(before), _words(after)
    for kind, i1, i2, j1, j2 in _opcodes([word.strip() for word in old], [word.strip() for word in new]):
        if kind == "equal":
            if j2 > j1:
                yield Piece("same", "".join(new[j1:j2]))
            continue
        if i2 > i1:
            yield Piece("removed", "".join(old[i1:i2]))
        if j2 > j1:
            yield Piece("added", "".join(new[j1:j2]))


def _opcodes(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    if len(old) * len(new) <= _MOST_PAIRS:
        return list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())
    # Too long to match word by word: what both begin and end with, and all between as one change.
    most = min(len(old), len(new))
    head = next((i for i in range(most) if old[i] != new[i]), most)
    tail = next((i for i in range(most - head) if old[-1 - i] != new[-1 - i]), most - head)
    a, b = len(old) - tail, len(new) - tail
    return [
        ("equal", 0, head, 0, head),
        ("replace", head, a, head, b),
        ("equal", a, len(old), b, len(new)),
    ]


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*|\s+", text)
