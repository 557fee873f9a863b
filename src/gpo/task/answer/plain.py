"""One way of writing for what is written in several: full-width letters, other scripts' digits, NFD; long replies.

Brings characters to the form that the other files look for.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

READ_HEAD = 4_000
READ_TAIL = 12_000
"""Characters: of a longer reply the beginning and the end are read, so that no reply holds up the others."""

UNSPACED = "\u0e00-\u0eff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Letters of scripts that put no space between words: kana, Han, Thai, Lao."""

_HIDDEN = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff\u061c"))
_HIDDEN |= dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_FULL_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_PUNCTUATION = {
    **{ord(sign): f"{plain} " for sign, plain in zip("！？；：，。،؟", "!?;:,.,?", strict=True)},
    **{
        ord(sign): plain
        for sign, plain in zip("「」『』【】〔〕٪٫٬\u3000﹣￥", '""""[][]%., -¥', strict=True)
    },
}
_TABLE: dict[int, str | None] = {**_HIDDEN, **_FULL_WIDTH, **_PUNCTUATION}
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[，：](?=\d)")
_DIGIT = re.compile(r"(?![0-9])\d")
_BORDER = re.compile(
    rf"(?<=[{UNSPACED}\uac00-\ud7af])(?=[A-Za-z0-9$€£¥(\[])|(?<=[A-Za-z0-9%)\]])(?=[{UNSPACED}\uac00-\ud7af])"
)
# Sorting the marks of one letter takes the square of their number.
_MANY_MARKS = re.compile(
    r"[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u1ab0-\u1aff\u1dc0-\u1dff]{20}"
)


def clip(text: str) -> str:
    """`text` without surrounding space; of a very long one the first `READ_HEAD` and the last `READ_TAIL` characters,
    cut between lines or words where it has some."""
    text = text.strip()
    if len(text) <= READ_HEAD + READ_TAIL:
        return text
    head, tail = text[:READ_HEAD], text[-READ_TAIL:]
    for space in ("\n", " "):
        end, start = head.rfind(space), tail.find(space)
        if end > READ_HEAD // 2 and 0 <= start < READ_TAIL // 2:
            return head[: end + 1] + tail[start + 1 :]
    return head + tail


def compose_characters(text: str) -> str:
    """`text` in NFC, where that takes no longer than reading it."""
    if text.isascii() or _MANY_MARKS.search(text):
        return text
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """`text` in NFC with ASCII digits, letters and punctuation for full-width and other scripts' ones, no invisible
    characters, and a space where a script without spaces meets Latin letters or digits."""
    if text.isascii():
        return text
    text = compose_characters(text)
    text = _BETWEEN_DIGITS.sub(lambda match: "," if match[0] == "，" else ":", text)
    text = _DIGIT.sub(lambda match: str(unicodedata.digit(match[0])), text.translate(_TABLE))
    return _BORDER.sub(" ", text)


@lru_cache(maxsize=4096)
def fold_question(question: str) -> str:
    """`question`, as replies to it are read: its beginning and its end, in plain characters."""
    return fold(clip(question))
