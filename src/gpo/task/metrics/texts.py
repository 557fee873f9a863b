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
    return " ".join(_PUNCTUATION.sub("", spaced).split()) or spaced


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
    return normalised(as_text(prediction)) == normalised(as_text(target))
