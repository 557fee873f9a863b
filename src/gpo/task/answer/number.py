"""Numbers: thousands separators, decimals, signs, currency, percent, fractions, small number words."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from gpo.task.answer.corrections import explains
from gpo.task.answer.label import quote
from gpo.task.answer.markers import ANSWER_MARKER, strip_markup
from gpo.task.answer.meant import Standing
from gpo.task.answer.mention import Mention, holds_only
from gpo.task.answer.numbers.notation import rewrite_numbers
from gpo.task.answer.numbers.numeral import find_numerals
from gpo.task.answer.numbers.spelled import find_spelled
from gpo.task.answer.plain import fold
from gpo.task.answer.reader import Answer, Prediction
from gpo.task.answer.rule import CONCLUSION, MentionReader

_ENUMERATOR = re.compile(r"^[ \t]*\d{1,2}[.)](?=[ \t]+\S)", re.MULTILINE)
_FRACTION = re.compile(r"(?:(?<=\d)(?P<mixed>)[ ]?)?\\[dt]?frac\{(?P<above>[-−]?\d+)\}\{(?P<below>\d+)\}")
# The ways of LaTeX to write the comma of "1,000".
_THOUSANDS = re.compile(r"(?<=\d)(?:\{,\}|\\,|,\\!)(?=\d{3}(?!\d))")
_CLAUSE_END = re.compile(r"(?<=[.!?;])\s|\n")
_REASON = re.compile(
    r",?\s+(?:since|because|given\s+that|weil|denn|parce\s+que|car|porque|puisque)\b|,\s+as\b", re.IGNORECASE
)
_RESULT = re.compile(
    r"[,;]\s*(?:and\s+)?(?:so|therefore|thus|hence|which\s+means|leaving|making|giving)\b", re.IGNORECASE
)
_ASIDE = re.compile(
    r"\([^()\n=:]{0,200}\)|,\s+(?:(?:[\w-]+\s+){0,2}of\s+(?:which|whom|them)|including)\b[^,\n=:]{0,120}",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\b(?:out\s+of|of\s+(?:the|his|her|their|its|our|all|these|those)|than|from\s+the\s+(?:original|initial|first)|von|sur|de\s+los|de\s+las)\s+"
    r"(?:the\s+|an?\s+|all\s+)?(?:\w+\s+){0,2}[$€£¥₹]?$|\d\s+of\s+[$€£¥₹]?$",
    re.IGNORECASE,
)
_AROUND = " $€£¥₹₩%°\\()[]{}"
_SIMPLE = re.compile(r"-?[0-9]{1,15}")
_LONGEST = 200
_PIECE = 3_000
_DIGIT = re.compile(r"\d|[⁰¹²³⁴⁵⁶⁷⁸⁹]")
_OPERATION = re.compile(r"[\s)]*(?:[-+−*/×÷·x]|\\times|\\cdot)[\s(]*[$€£\d.]?")


class NumberReader(MentionReader):
    """A number, read as a float.

    Behind a marker it is the number after the last "=" of the first sentence, or else the first number; without a
    marker the last number of the last sentence that has one, one of the question's only where that sentence has no
    other. Of "8 = 5 + 3" it is the 8. A percent sign changes nothing ("50%" is 50). Number words count where the text
    has no digits. Where the number in that place cannot be read ("3:45"), none is.
    """

    form = "a number"
    dropped = frozenset[Standing](("denied", "ruled_out"))
    marker = ANSWER_MARKER
    request = "Give only your final answer: the number."
    continuation = "\nTherefore, the answer (a number) is"

    def relevant(self, text: str, question: str) -> str:
        return _in_digits(super().relevant(text, question), question)

    def at_once(self, text: str, question: str) -> Prediction:
        return float(text) if _SIMPLE.fullmatch(text) else None

    def read_bare(self, text: str, question: str) -> Prediction:
        if len(text) > _LONGEST:
            return None
        text = text.rstrip(".!,;")
        found = self.mentions(text, question)
        whole = len(found) == 1 and not (text[: found[0].start] + text[found[0].end :]).strip(_AROUND)
        return _readable(found) if whole else None

    def mentions(self, text: str, question: str) -> list[Mention]:
        """As for every kind; a number that cannot be read is nan."""
        text = _ENUMERATOR.sub(lambda match: " " * len(match[0]), text)
        found = find_numerals(text)
        if not found and not _DIGIT.search(text):
            found = find_spelled(text)
        return [Mention(number.start, number.end, number.value) for number in found]

    def read_stated(self, passage: str, question: str) -> Prediction:
        clause = _CLAUSE_END.split(passage, maxsplit=1)[0]
        found = self.asserted(clause, question)
        if len({mention.answer for mention in found}) > 1 and holds_only(clause, found):
            return None
        if (results := _left_of_sum(clause, found)) is not None:
            return _readable(results)
        equals = clause.rfind("=")
        after = [mention for mention in found if mention.start >= equals >= 0]
        return _readable((after or found)[:1])

    def unmarked(self, text: str, question: str) -> Prediction:
        plain = strip_markup(text)
        found = self._of_the_last_sentence(plain, question)
        if not found:
            return None
        if (results := _left_of_sum(plain, found)) is not None:
            return _readable(results)
        given = _find_given(question)
        new = [mention for mention in found if abs(float(str(mention.answer))) not in given]
        answer = _readable((new or found)[-1:])
        opening = self._opening(plain, question)
        if opening is None or opening == answer or explains(plain):
            return answer if opening is None else opening
        last = plain.strip().rsplit("\n", 1)[-1]
        calculates = "=" in plain[found[0].start : found[-1].end] or CONCLUSION.match(last)
        return None if calculates or self._read_bare(last, question) is not None else opening

    def _opening(self, text: str, question: str) -> Prediction:
        """The number that is the first line, or the first sentence, of a longer reply."""
        first, _, rest = text.strip().partition("\n")
        sentence, _, more = first.partition(". ")
        # "3. Add them" is a step of a list, where the list begins with 1 or has more.
        single = not more or (sentence != "1" and len(_ENUMERATOR.findall(text)) == 1)
        return self._read_bare(sentence, question) if (rest or more) and single else None

    def _of_the_last_sentence(self, text: str, question: str) -> list[Mention]:
        """The numbers of the last sentence that gives one, without those that only explain it."""
        # Most replies have it at their end: the rest is read where they have not.
        before = max(0, len(text) - _PIECE)
        cut = max(text.rfind("\n", 0, before), text.rfind(". ", 0, before))
        last = cut + 1 if cut >= 0 else text.rfind(" ", 0, before) + 1
        for start in (last, 0) if last else (0,):
            found = self.asserted(text[start:], question)
            if found:
                break
        else:
            return []
        found = [mention._replace(start=mention.start + start, end=mention.end + start) for mention in found]
        begin = max((end.end() for end in _CLAUSE_END.finditer(text, start, found[-1].start)), default=start)
        return _narrowed(text, [mention for mention in found if mention.start >= begin])

    def unfinished(self, text: str, question: str) -> Prediction:
        plain = strip_markup(text).strip()
        every = self.mentions(plain[:_PIECE], question)
        if len(every) == 1 and not plain[: every[0].start].strip():
            return _readable(every)
        lines = [line for line in plain.split("\n") if re.search(r"\w", line)]
        # The line that broke off, and what only leads up to it.
        concluding = bool(lines) and CONCLUSION.match(lines.pop()) is not None
        while lines and lines[-1].rstrip().endswith(":"):
            lines.pop()
        if not lines:
            return None
        if (answer := self._read_bare(lines[-1], question)) is not None:
            return answer
        _, equals, result = lines[-1].rpartition("=")
        found = self.mentions(result, question) if equals and concluding else []
        if len(found) != 1 or result[: found[0].start].strip(" \\({$"):
            return None
        return None if abs(float(str(found[0].answer))) in _find_given(question) else _readable(found)

    def normal(self, target: str | float, question: str = "") -> Answer:
        if isinstance(target, int | float) and math.isfinite(target):
            return float(target)
        answer = self.read_bare(_in_digits(fold(str(target)), "").strip(), "")
        if answer is None:
            raise ValueError(f"{quote(str(target))} is not a number")
        return answer


@lru_cache(maxsize=4096)
def _find_given(question: str) -> frozenset[float]:
    """The numbers of the question, whatever their sign."""
    found = NumberReader().mentions(_in_digits(question, question), "")
    return frozenset(abs(float(str(mention.answer))) for mention in found)


def _in_digits(text: str, question: str) -> str:
    if "\\" in text or "{,}" in text:
        text = _THOUSANDS.sub(",", text)
    text = rewrite_numbers(text, question)
    return _FRACTION.sub(_in_line, text) if "frac" in text else text


def _narrowed(text: str, found: list[Mention]) -> list[Mention]:
    """`found`, the numbers of one sentence, without those of a reason that follows ("3, since 2 are too few"), of an
    aside in brackets and of the whole that they are a part of ("15 out of 20"), where others are left."""
    first, last = found[0], found[-1]
    if reason := _REASON.search(text, first.end, last.start):
        result = _RESULT.search(text, reason.end(), last.start)
        found = [
            one for one in found if (one.start > result.end() if result else one.end <= reason.start())
        ] or found
    asides = [(aside.start(), aside.end()) for aside in _ASIDE.finditer(text, first.start, last.end + 200)]
    if len(found) > 2 and ":" in text[first.end : found[1].start]:
        # "5 fruits: 3 apples and 2 pears" tells what the 5 is made of.
        summed = sum(float(str(one.answer)) for one in found[1:])
        if math.isclose(summed, float(str(first.answer))):
            return [first]
    outside = [one for one in found if not any(start < one.start < end for start, end in asides)]
    found = outside or found
    parts = [
        one
        for one in found
        if not _WHOLE.search(text[max(0, one.start - 40) : one.start]) and not _year(text, one)
    ]
    return parts or found


def _year(text: str, mention: Mention) -> bool:
    before, number = text[max(0, mention.start - 9) : mention.start], text[mention.start : mention.end]
    return (
        re.search(r"\b(?:in|since|until|by)\s$", before) is not None
        and re.fullmatch(r"(?:19|20)\d\d", number) is not None
    )


def _readable(found: list[Mention]) -> Prediction:
    """The one number of `found`; None where it is not one, or cannot be read."""
    answer = found[0].answer if len(found) == 1 else None
    return answer if isinstance(answer, float) and math.isfinite(answer) else None


def _left_of_sum(text: str, found: list[Mention]) -> list[Mention] | None:
    """The numbers left of the last "=" within `found`, where a sum stands to its right ("8 = 5 + 3"); else None."""
    first, last = (found[0].start, found[-1].end) if found else (0, 0)
    equals = text.rfind("=", first, last)
    right = [mention for mention in found if mention.start >= equals >= 0]
    if len(right) < 2 or not _OPERATION.fullmatch(text[right[0].end : right[1].start + 1]):
        return None
    left = text.rfind("=", first, equals)
    return [mention for mention in found if left < mention.start < equals]


def _in_line(match: re.Match[str]) -> str:
    return f"{'' if match['mixed'] is None else ' '}{match['above']}/{match['below']}"
