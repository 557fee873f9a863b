"""What stands behind a number and multiplies it: $50k, 3.2M, 5 lakh, 2 Millionen, 1億2000万."""

from __future__ import annotations

import re

_MOST_READ = 4_000
_SCALES = {
    "mil millones": 1e9,
    "mil": 1e3,
    "millón": 1e6,
    "millones": 1e6,
    "milhão": 1e6,
    "milhões": 1e6,
    "bilhões": 1e9,
    "mille": 1e3,
    "millions": 1e6,
    "milliard": 1e9,
    "milliards": 1e9,
    "tausend": 1e3,
    "tsd": 1e3,
    "mio": 1e6,
    "million": 1e6,
    "millionen": 1e6,
    "milliarde": 1e9,
    "milliarden": 1e9,
    "mrd": 1e9,
    "billionen": 1e12,
    "billones": 1e12,
    "billón": 1e12,
    "milioni": 1e6,
    "miliardi": 1e9,
    "тысяч": 1e3,
    "тысячи": 1e3,
    "млн": 1e6,
    "млрд": 1e9,
    "lakh": 1e5,
    "lakhs": 1e5,
    "lac": 1e5,
    "lacs": 1e5,
    "crore": 1e7,
    "crores": 1e7,
    "cr": 1e7,
    "लाख": 1e5,
    "करोड़": 1e7,
    "हज़ार": 1e3,
    "हजार": 1e3,
    "만": 1e4,
    "억": 1e8,
    "bn": 1e9,
    "mn": 1e6,
    "tn": 1e12,
    "thousands": 1e3,
    "billions": 1e9,
}
UNREADABLE = "0/0"
"""In place of a number of which it cannot be told what it is worth."""
SCALE_WORD = re.compile(
    r"[ ]?(?:million|milli|billion|thousand|trillion|mio|mrd|tsd|mill|lakh|crore|млн|млрд)", re.IGNORECASE
)
_NUMBER = r"(?<![\w.,])(?P<number>\d+(?:,\d{3})*(?:\.\d+)?)"
_SCALED = re.compile(
    rf"{_NUMBER}(?:[ ]?(?P<word>{'|'.join(sorted(map(re.escape, _SCALES), key=len, reverse=True))})(?!\w)"
    r"|(?P<suffix>k|K|M|B)(?![\w/]))",
    re.IGNORECASE,
)
_SPACED_M = re.compile(rf"{_NUMBER}[ ]M(?![\w/])")
_SUFFIXES = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "m": 1e6, "b": 1e9}
_MYRIADS = {"兆": 1e12, "億": 1e8, "亿": 1e8, "萬": 1e4, "万": 1e4, "千": 1e3, "百": 1e2}
_MYRIAD = re.compile(rf"{_NUMBER}[ ]?(?P<scale>[{''.join(_MYRIADS)}]{{1,2}})")
_JOINED_MYRIADS = re.compile(r"(?<![\w.])(\d{5,})\u0001[ ]?(\d+)\u0001?")


def write_out_scales(text: str) -> str:
    """`text`, whose numbers are written as in English, with the scaled ones written out: "50000" for "50k"."""
    text = _SCALED.sub(lambda match: _scaled(match, text), text)
    # A capital M behind a space may as well be a unit.
    text = _SPACED_M.sub(f"{UNREADABLE} ", text)
    return text if text.isascii() else _without_myriads(text)


def _scaled(match: re.Match[str], text: str) -> str:
    if match["word"]:
        # "ı" and "K" (the sign of kelvin) pass for "i" and "k", and are none of the words.
        scale = _SCALES.get(match["word"].lower())
        return match[0] if scale is None else _times(match["number"], scale)
    money = text[max(0, match.start() - 2) : match.start()].strip().endswith(("$", "€", "£", "¥", "₹"))
    suffix = match["suffix"]
    if suffix in "mb" and not money:
        return match[0]
    if suffix == "K" and not money and re.search(r"temperature|kelvin", text[-_MOST_READ:], re.IGNORECASE):
        return match[0]
    return _times(match["number"], _SUFFIXES[suffix]) if suffix in _SUFFIXES else match[0]


def _times(number: str, *factors: float) -> str:
    value = float(number.replace(",", ""))
    for factor in factors:
        value *= factor
    return f"{value:.10g}" if abs(value) < 1e10 else repr(round(value, 4)).removesuffix(".0")


def _without_myriads(text: str) -> str:
    if _MYRIADS.keys().isdisjoint(text):
        return text
    text = _MYRIAD.sub(_in_ones, text)
    while _JOINED_MYRIADS.search(text):
        text = _JOINED_MYRIADS.sub(_sum, text)
    return text.replace("\u0001", "")


def _in_ones(match: re.Match[str]) -> str:
    return _times(match["number"], *map(_MYRIADS.__getitem__, match["scale"])) + "\u0001"


def _sum(match: re.Match[str]) -> str:
    large, small = match[1], match[2]
    joined = len(small) < len(large) and large.endswith("0" * len(small))
    return f"{int(large) + int(small)}\u0001" if joined else f"{large} {small}"
