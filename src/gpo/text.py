"""Untrusted text on a terminal: what an LLM or a dataset says must not move the cursor or hide other text."""

from __future__ import annotations

import unicodedata
from decimal import ROUND_HALF_UP, Decimal


def printable(text: str, *, newlines: bool = False) -> str:
    """`text` with every control, format and surrogate character made visible as an escape such as \\x1b; line breaks
    and tabs become a space unless `newlines`."""
    return "".join(_visible(character, newlines) for character in text)


def _visible(character: str, newlines: bool) -> str:
    if character in "\n\t":
        return character if newlines else " "
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"):
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character


def shorten(text: str, width: int) -> str:
    """At most `width` characters of one line, an ellipsis in place of the rest."""
    line = " ".join(printable(text).split())
    return line if len(line) <= width else line[: max(0, width - 1)] + "…"


def points(share: float, *, signed: bool = False) -> str:
    """A share in points of 100 with one decimal, ties away from zero. The page's script rounds in the same way, so that
    one number is never 31.2 in one place and 31.3 in another."""
    value = Decimal(100 * share).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{value:+}" if signed else str(value)
