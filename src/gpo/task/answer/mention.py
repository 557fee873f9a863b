"""Answers where they stand in a text, and what stands between them."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from gpo.task.answer.meant import Standing, asks_for_the_wrong, classify_standing, joins
from gpo.task.answer.reader import Answer, Prediction

_ALTERNATIVE = re.compile(
    r"(?:[^\w/|]*[/|]|\W*(?:or|and|nor|oder|und|ou|et|o|y|或|和|または|か))\W*", re.IGNORECASE
)
_LISTING = re.compile(r"(?:[\s.,;&(){}\[\]$€£/]|\b(?:and|or)\b)*")
_NOT_MEANT = frozenset[Standing](("denied", "ruled_out", "supposed"))


class Mention(NamedTuple):
    """An answer that stands at `start:end` of a text."""

    start: int
    end: int
    answer: Answer


def classify_standings(text: str, found: list[Mention], question: str) -> list[Standing]:
    """How each of `found` stands; `question` is what was asked, without the answers that it offers."""
    stands = [classify_standing(text, mention.start, mention.end) for mention in found]
    if asks_for_the_wrong(question):
        stands = ["meant" if stand == "ruled_out" else stand for stand in stands]
    # What is said of one is said of all that "and" and "or" join to it.
    pairs = [joins(text[one.end : two.start]) for one, two in pairwise(found)]
    for place, both in enumerate(pairs):
        if both and stands[place] in _NOT_MEANT and stands[place + 1] == "meant":
            stands[place + 1] = stands[place]
    for place in range(len(pairs) - 1, -1, -1):
        if pairs[place] and stands[place + 1] in _NOT_MEANT and stands[place] == "meant":
            stands[place] = stands[place + 1]
    return stands


def leaves_open(gap: str) -> bool:
    """Whether the text between two answers leaves open which of them is meant ("A or B", "A/B")."""
    return _ALTERNATIVE.fullmatch(gap) is not None


def holds_only(text: str, found: list[Mention]) -> bool:
    """Whether `text` holds nothing but the answers `found` and what lists them ("A, B")."""
    ends, starts = [0, *(one.end for one in found)], [*(one.start for one in found), len(text)]
    gaps = " ".join(text[end:start] for end, start in zip(ends, starts, strict=True))
    return _LISTING.fullmatch(gaps) is not None


def take_only(found: list[Mention]) -> Prediction:
    answers = {mention.answer for mention in found}
    return answers.pop() if len(answers) == 1 else None
