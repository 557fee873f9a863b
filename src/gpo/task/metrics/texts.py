"""When two answers are the same, and an answer as text."""

from __future__ import annotations

import math
import re

from gpo.task.answer.reader import Answer

TOLERANCE = 1e-6
"""Two numbers within this distance (relative for large ones) are the same answer."""

# Not between digits, where a dot or a comma is part of a number.
_PUNCTUATION = re.compile(r"(?<!\d)[.,;:!?\"'`“”‘’]|[.,;:!?\"'`“”‘’](?!\d)")


def normalised(text: str) -> str:
    """`text` as exact match compares it: case folded, punctuation dropped, spaces collapsed, articles kept.

    Brackets and operators stay (they can be the answer), and so does punctuation where nothing else is.
    """
    spaced = " ".join(text.split()).casefold()
    return _drop_punctuation(spaced) or spaced


def is_same_text(one: str, other: str) -> bool:
    """Whether both are `normalised` alike. Of a text that is far longer than the other only as much is read as shows
    that it is another one: a reply of megabytes would hold up all other calls."""
    short, long = sorted((one, other), key=len)
    if len(long) > 4 * len(short) + 1000:
        head = " ".join(long[: 2 * len(short) + 1000].split()[:-1]).casefold()  # whole words
        if len(_drop_punctuation(head)) > len(normalised(short)):
            return False
    return normalised(one) == normalised(other)


def _drop_punctuation(spaced: str) -> str:
    return " ".join(_PUNCTUATION.sub("", spaced).split())


def as_text(answer: Answer) -> str:
    """An answer as text: a whole number without a decimal point, words separated by spaces."""
    if isinstance(answer, tuple):
        return " ".join(answer)
    if isinstance(answer, str):
        return answer
    return str(int(answer)) if math.isfinite(answer) and answer == int(answer) else repr(float(answer))


def equal(prediction: Answer, target: Answer) -> bool:
    """Whether two answers are the same, numbers within `TOLERANCE`."""
    if isinstance(prediction, int | float) and isinstance(target, int | float):
        return math.isclose(prediction, target, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return is_same_text(as_text(prediction), as_text(target))
