"""Numbers written in digits: where they stand in a text, and what they are worth.

What looks like a number but is not read here ("3:45", "10^n", "1/0") is worth nan: a number that cannot be read.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

# A sign belongs to the number only where nothing stands between them: "16 - 3" is no "-3". The exponent of a unit or a
# variable ("20 m^2") is no number of its own.
_NUMBER = re.compile(
    r"""(?<![\w.])(?<!第[ ])(?<!\d/)(?<!\^)(?<!\^[-−{])(?<!\^\{[-−])
    (?P<sign>(?<![)\]])[-−+](?=[$€£¥₹₩\d.]))?[$€£¥₹₩]?[ ]?(?P<inner>[-−](?=[\d.]))?
    (?P<whole>\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?P<part>\.\d+)?(?(whole)|(?(part)|(?!)))
    (?P<power>[eE][-+]?\d{1,3}(?!\w))?(?:[ ]?/[ ]?(?P<below>\d+)(?![\d/]))?
    (?!\d|(?:st|nd|rd|th)\b)""",
    re.VERBOSE,
)
# ASCII: else "ı" and "ſ" would pass for "i" and "s", and the word would be none of the scales.
_SCALE = re.compile(r"[ ](hundred|thousand|million|billion|trillion)\b", re.IGNORECASE | re.ASCII)
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_RAISED = re.compile(
    r"""[ ]?(?:\^|(?<=\d)\*\*(?=[-−]?\d)|(?<=\d)[ ]\*\*(?=[ ]\d))[ ]?
    (?:\{?[ ]?(?P<exponent>[-−]?\d+(?:\.\d+)?)[ ]?\}? | \{[^{}\n]{0,40}\}?)?""",
    re.VERBOSE,
)
_UNREAD = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹½⅓⅔¼¾]+")
_TIMES = re.compile(r"\s{0,3}(?:×|\*|x|·|\\times|\\cdot)\s{0,3}")
_GROUP_SPACES = (" ", "\u00a0", "\u2009", "\u202f")
_GROUPED = "00"
"""In the place of the digits of a number that is joined of groups: the next group of three belongs to it."""


class Numeral(NamedTuple):
    """A number at `start:end` of a text; `value` is nan where it cannot be read."""

    start: int
    end: int
    value: float
    digits: str = ""
    """The digits, where it is a whole number and nothing besides; "" otherwise."""
    ten_to: bool = False
    """Whether it is a power of ten ("10^6"), which a factor may stand before."""


def find_numerals(text: str) -> list[Numeral]:
    """The numbers of `text` in their order; parts of one number ("3 1/2", "1 250", "3 × 10^6") are one."""
    found: list[Numeral] = []
    place = 0
    while match := _NUMBER.search(text, place):
        numeral = _numeral(text, match)
        joined = _join(text, found[-1], numeral, match) if found else None
        if joined is None:
            found.append(numeral)
        else:
            found[-1] = joined
        place = numeral.end
    return found


def _numeral(text: str, match: re.Match[str]) -> Numeral:
    value, end = _value(match), match.end()
    if raised := _RAISED.match(text, end):
        ten = match["whole"] == "10" and not match["part"] and raised["exponent"] is not None
        return Numeral(match.start(), raised.end(), _power(value, raised["exponent"]), ten_to=ten)
    if unread := _UNREAD.match(text, end):
        return Numeral(match.start(), unread.end(), math.nan)
    if scale := _SCALE.match(text, end):
        return Numeral(match.start(), scale.end(), _finite(value * _SCALES[scale[1].lower()]))
    whole = not (match["part"] or match["power"] or match["below"])
    return Numeral(match.start(), end, value, match["whole"] if whole else "")


def _join(text: str, before: Numeral, after: Numeral, match: re.Match[str]) -> Numeral | None:
    """`before` and `after` as one number; None where they are two."""
    gap = text[before.end : after.start]
    if after.ten_to and not match["sign"] and _TIMES.fullmatch(gap):
        return Numeral(before.start, after.end, _finite(before.value * after.value))
    signed = not match[0][0].isdigit()
    if not before.digits or signed:
        return None
    if gap == ":" and match["whole"]:
        return Numeral(before.start, after.end, math.nan, after.digits)
    if gap in (" ", " and ") and match["below"] and 0 < after.value < 1:
        return Numeral(before.start, after.end, before.value + math.copysign(after.value, before.value))
    grouped = gap in _GROUP_SPACES and len(before.digits) <= 3
    if grouped and len(match["whole"] or "") == 3 and not match["below"]:
        # "100 200" may be two numbers; "1 250" and "250 000" hardly are.
        two = gap == " " and len(before.digits) == 3 and not match["whole"].startswith("0")
        value = math.nan if two else before.value * 1000 + math.copysign(after.value, before.value)
        return Numeral(before.start, after.end, _finite(value), _GROUPED)
    return None


def _value(match: re.Match[str]) -> float:
    digits = (match["whole"] or "0").replace(",", "") + (match["part"] or "") + (match["power"] or "")
    value = float(digits)
    if match["below"]:
        below = float(match["below"])
        value = value / below if below else math.nan
    negative = (match["sign"] or "+") in "-−" or match["inner"] is not None
    return _finite(-value if negative else value)


def _power(base: float, exponent: str | None) -> float:
    # "-2^2" is read in two ways, so it is not read.
    if exponent is None or not base >= 0:
        return math.nan
    try:
        return _finite(base ** float(exponent.replace("−", "-")))
    except (OverflowError, ZeroDivisionError):
        return math.nan


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan
