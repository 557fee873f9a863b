"""Numbers written in words: "twenty-five", "one hundred and five", "a dozen".

What is only partly understood ("two and a half", "three point five") is worth nan: a number that cannot be read.
"""

from __future__ import annotations

import math
import re

from gpo.task.answer.numbers.numeral import Numeral

_UNITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen"),
    *("sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {word: value for value, word in enumerate((*_UNITS, *_TEENS), start=1)} | {"zero": 0}
_TENFOLD = {word: value for value, word in zip(range(20, 100, 10), _TENS, strict=True)}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_MULTIPLES = {"hundred": 100, "dozen": 12}
_ANY = "|".join(sorted((*_SMALL, *_TENFOLD, *_SCALES, *_MULTIPLES), key=len, reverse=True))
_RUN = re.compile(
    rf"\b(?:(?P<sign>minus|negative)[ ])?(?P<words>(?:an?[ ](?=(?:hundred|dozen|thousand|million|billion)\b))?"
    rf"(?:{_ANY})\b(?:[ -](?:and[ ])?(?:{_ANY})\b)*)",
    re.IGNORECASE,
)
_PARTS = (
    "half|halves|thirds?|quarters?|fourths?|fifths?|sixths?|sevenths?|eighths?|ninths?|tenths?|hundredths?"
)
_GOES_ON = re.compile(
    rf"[ -](?:{_PARTS}|point)\b|[ ]and[ ]an?[ ](?:{_PARTS})\b|-(?:first|second|\w+th)\b", re.IGNORECASE
)
_HALF_OF = re.compile(r"\b(?:half|quarter|several|few|many|some)[ ](?:of[ ])?$", re.IGNORECASE)
# "One" where it stands for a thing: "one of which", "this one", "no one".
_PRONOUN_BEFORE = re.compile(
    r"\b(?:this|that|each|every|which|no|any|another|last|next|only|other|the|by|first|second)[ ]$",
    re.IGNORECASE,
)
_PRONOUN_AFTER = re.compile(
    r"[ ](?:of|by|another|can|could|must|may|might|should|would|who|that|which)\b", re.IGNORECASE
)


def find_spelled(text: str) -> list[Numeral]:
    """The numbers in words within `text`, in their order."""
    found: list[Numeral] = []
    for run in _RUN.finditer(text):
        before, start = text[max(0, run.start() - 12) : run.start()], run.start("words")
        if run["words"].lower() == "one" and (
            _PRONOUN_BEFORE.search(before) or _PRONOUN_AFTER.match(text, run.end())
        ):
            continue
        values = _values(run["words"])
        gap = text[found[-1].end : run.start()].strip().lower() if found else None
        if _GOES_ON.match(text, run.end()) or _HALF_OF.search(before) or gap == "point":
            values = [math.nan]
        subtracted = gap == ""
        if run["sign"] and not subtracted:
            values[0], start = -values[0], run.start()
        found.extend(Numeral(start, run.end(), value) for value in values)
    return found


def _values(words: str) -> list[float]:
    """What a run of number words is worth: "one two" are two numbers; [nan] where it cannot be told."""
    tokens = words.lower().replace("-", " ").split()
    values: list[float] = []
    place = 0
    while place < len(tokens):
        value, end = _one(tokens, place)
        if end == place:
            return [math.nan]
        values.append(value)
        place = end + (tokens[end : end + 1] == ["and"])
    return values


def _one(tokens: list[str], start: int) -> tuple[float, int]:
    """The number that begins at `start`, and where it ends; the same place where there is none."""
    total, least, place, end = 0.0, math.inf, start, start
    while True:
        value, after = _below_thousand(tokens, place)
        if after == place:
            break
        scale = _SCALES.get(tokens[after]) if after < len(tokens) else None
        if scale is None:
            # What follows a scale is smaller than it.
            return total + value, after
        if scale >= least:
            return math.nan, len(tokens)
        total, least, end = total + value * scale, scale, after + 1
        place = end + (tokens[end : end + 1] == ["and"])
    return total, end


def _below_thousand(tokens: list[str], start: int) -> tuple[float, int]:
    value, end = _below_hundred(tokens, start)
    if end == start or end >= len(tokens) or tokens[end] not in _MULTIPLES:
        return value, end
    value *= _MULTIPLES[tokens[end]]
    end += 1
    joined = end + (tokens[end : end + 1] == ["and"])
    more, after = _below_hundred(tokens, joined)
    return (value + more, after) if after > joined else (value, end)


def _below_hundred(tokens: list[str], start: int) -> tuple[float, int]:
    word = tokens[start] if start < len(tokens) else ""
    if word in ("a", "an", *_MULTIPLES, *_SCALES):
        return 1.0, start + (word in ("a", "an"))
    if word in _SMALL:
        return float(_SMALL[word]), start + 1
    if word not in _TENFOLD:
        return 0.0, start
    unit = _SMALL.get(tokens[start + 1], 0) if start + 1 < len(tokens) else 0
    return (float(_TENFOLD[word] + unit), start + 2) if 0 < unit < 10 else (float(_TENFOLD[word]), start + 1)
