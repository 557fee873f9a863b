"""A comparison of two long prompts with what need not be read folded away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from gpo.result.word_diff import Piece

_LONGEST_SAME, _KEPT = 80, 20
"""Unchanged words from which on a part is folded, and how many of them stay at each end."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a comparison; `folded` is what is hidden until it is asked for, `words` how many that are."""

    kind: Literal["same", "removed", "added", "folded"]
    text: str
    words: int = 0


def fold(
    pieces: Iterable[Piece],
    longest: int = _LONGEST_SAME,
    kept: int = _KEPT,
    longest_change: int | None = None,
) -> list[Part]:
    """The pieces with the middle of unchanged ones of more than `longest` words folded; `kept` words stay at each end,
    at most half of `longest`. Changed pieces of more than `longest_change` words are folded too, where it is given."""
    found: list[Part] = []
    for piece in pieces:
        most = longest if piece.kind == "same" else longest_change
        ends = None if most is None else _find_ends(piece.text, most, kept)
        if ends is None:
            found.append(Part(piece.kind, piece.text))
            continue
        first, last, words = ends
        found += [
            Part(piece.kind, piece.text[:first]),
            Part("folded", piece.text[first:last], words),
            Part(piece.kind, piece.text[last:]),
        ]
    return found


def fold_sides(pieces: Sequence[Piece]) -> tuple[list[Part], list[Part]]:
    """The text before and the text after, each with what differs in it, folded as `fold` does."""
    before, after = (fold(one for one in pieces if one.kind != other) for other in ("added", "removed"))
    return before, after


def _find_ends(text: str, longest: int, kept: int) -> tuple[int, int, int] | None:
    """Where the middle of a long text begins and ends, and how many words it has."""
    words = text.split()
    if len(words) <= longest:
        return None
    first = last = 0
    for word in words[:kept]:
        first = text.index(word, first) + len(word)
    last = len(text)
    for word in reversed(words[-kept:]):
        last = text.rindex(word, 0, last)
    return first, last, len(words) - 2 * kept
