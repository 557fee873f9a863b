"""Numbers in free text: thousands separators, signs, currencies, percents, fractions. Knows no answer markers."""

from __future__ import annotations

import re

_NUMBER = re.compile(
    r"""(?<![\w.])(?P<sign>[-−+]?)[ ]?[$€£¥]?(?P<sign2>[-−]?)
    (?P<whole>\d{1,3}(?:,\d{3})+|\d+)?
    (?P<decimals>(?:(?<=\d)\.\d+|(?<!\d)\.\d+))?
    (?:[ ]?/[ ]?(?P<divisor>\d+))?""",
    re.VERBOSE,
)


def numbers(text: str) -> list[float]:
    """Every number of `text` in order. "1,234.5" is one number, "3/4" is 0.75, "$-5" and "−5" are −5."""
    # Emphasis stands around numbers in model replies; it is no part of them.
    found: list[float] = []
    for match in _NUMBER.finditer(text.replace("*", " ").replace("\\$", "$").replace("{,}", ",")):
        value = _value(match)
        if value is not None:
            found.append(value)
    return found


def number(value: object) -> float | None:
    """The single number that `value` (a number or a text with one number) stands for, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    found = numbers(str(value))
    return found[0] if len(found) == 1 else None


def _value(match: re.Match[str]) -> float | None:
    whole, decimals, divisor = match["whole"], match["decimals"], match["divisor"]
    if not whole and not decimals:
        return None
    digits = (whole or "0").replace(",", "") + (decimals or "")
    if len(digits) > 300:  # beyond what a float holds; no answer is meant by it
        return None
    value = float(digits)
    if divisor:
        if len(divisor) > 300 or float(divisor) == 0:
            return None
        value /= float(divisor)
    return -value if match["sign"] in ("-", "−") or match["sign2"] else value
