"""Untrusted text on a terminal: what an LLM or a dataset says must not move the cursor or hide other text."""

from __future__ import annotations

import unicodedata


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
