"""Numbers: thousands separators, decimals, signs, currency, percent, fractions, small number words. Knows no metric."""

from __future__ import annotations

import math
import re

from gpo.task.answer.label import shown
from gpo.task.answer.reader import Answer, Prediction
from gpo.task.answer.rule import ANSWER_MARKER, CONCLUSION, Mention, MentionReader, without_markup

# A sign belongs to the number only where nothing stands between them: "16 - 3" is no "-3".
_NUMBER = re.compile(
    r"""(?<![\w.])(?<!\d/)
    (?P<sign>(?<![)\]])[-−+](?=[$€£\d.]))?[$€£]?[ ]?(?P<inner>[-−](?=[\d.]))?
    (?P<whole>\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?P<part>\.\d+)?(?(whole)|(?(part)|(?!)))
    (?P<power>[eE][-+]?\d{1,3}(?!\w))?(?:[ ]?/[ ]?(?P<below>\d+)(?![\d/]))?
    (?!\d|(?:st|nd|rd|th)\b)""",
    re.VERBOSE,
)
_ENUMERATOR = re.compile(r"^[ \t]*\d{1,2}[.)](?=[ \t]+\S)", re.MULTILINE)
_FRACTION = re.compile(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}")
_CLAUSE_END = re.compile(r"(?<=[.!?;])\s|\n")
_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_TEENS = (
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_WORDS = (*_UNITS, *_TEENS, "twenty")
_WORD = re.compile(rf"\b(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})\b", re.IGNORECASE)


class NumberReader(MentionReader):
    """A number, read as a float.

    Behind a marker it is the number after the last "=" of the first sentence, or else the first number; without a
    marker the last number of the reply, or of its sentence the last one that is not the question's. A percent sign
    changes nothing ("50%" is 50). Number words up to twenty count where the text has no digits.
    """

    form = "a number"
    marker = ANSWER_MARKER
    request = "Give only your final answer: the number."
    continuation = "\nTherefore, the answer (a number) is"

    def read(self, text: str, question: str = "") -> Prediction:
        return super().read(_FRACTION.sub(r"\1/\2", text), question)

    def bare(self, text: str, question: str) -> Prediction:
        text = text.rstrip(".!,;")
        found = self.mentions(text, question)
        whole = len(found) == 1 and not (text[: found[0].start] + text[found[0].end :]).strip(" $€£%\\()[]")
        return found[0].answer if whole else None

    def mentions(self, text: str, question: str) -> list[Mention]:
        text = _ENUMERATOR.sub(lambda match: " " * len(match[0]), text)
        found = []
        for match in _NUMBER.finditer(text):
            value = _value(match)
            if value is not None:
                found.append(Mention(match.start(), match.end(), value))
        if found or any(character.isdigit() for character in text):
            return found
        return [Mention(m.start(), m.end(), float(_WORDS.index(m[0].lower()))) for m in _WORD.finditer(text)]

    def stated(self, passage: str, question: str) -> Prediction:
        clause = _CLAUSE_END.split(passage, maxsplit=1)[0]
        found = self.mentions(clause, question)
        equals = clause.rfind("=")
        after = [mention for mention in found if mention.start >= equals >= 0]
        chosen = (after or found)[:1]
        return chosen[0].answer if chosen else None

    def _unmarked(self, text: str, question: str) -> Prediction:
        plain = text.replace("**", "")
        found = self.mentions(plain, question)
        if not found:
            return None
        start = max((end.end() for end in _CLAUSE_END.finditer(plain, 0, found[-1].start)), default=0)
        sentence = [mention for mention in found if mention.start >= start]
        given = self._given(question)
        new = [mention for mention in sentence if abs(float(str(mention.answer))) not in given]
        return (new or found)[-1].answer

    def unfinished(self, text: str, question: str) -> Prediction:
        plain = without_markup(text).strip()
        every = self.mentions(plain, question)
        if len(every) == 1 and not plain[: every[0].start].strip():
            return every[0].answer
        lines = [line for line in plain.split("\n") if re.search(r"\w", line)]
        # The line that broke off, and what only leads up to it.
        concluding = bool(lines) and CONCLUSION.match(lines.pop()) is not None
        while lines and lines[-1].rstrip().endswith(":"):
            lines.pop()
        if not lines:
            return None
        if (answer := self._bare(lines[-1], question)) is not None:
            return answer
        _, equals, result = lines[-1].rpartition("=")
        found = self.mentions(result, question) if equals and concluding else []
        if len(found) != 1 or result[: found[0].start].strip(" \\({$"):
            return None
        return None if abs(float(str(found[0].answer))) in self._given(question) else found[0].answer

    def _given(self, question: str) -> set[float]:
        """The numbers of the question, whatever their sign."""
        return {abs(float(str(mention.answer))) for mention in self.mentions(question, "")}

    def normal(self, target: str | float, question: str = "") -> Answer:
        if isinstance(target, int | float) and math.isfinite(target):
            return float(target)
        answer = self.bare(str(target).strip(), question)
        if answer is None:
            raise ValueError(f"{shown(str(target))} is not a number")
        return answer


def _value(match: re.Match[str]) -> float | None:
    digits = (match["whole"] or "0").replace(",", "") + (match["part"] or "") + (match["power"] or "")
    value = float(digits)
    if match["below"]:
        below = float(match["below"])
        value = value / below if below else math.nan
    if not math.isfinite(value):
        return None
    negative = (match["sign"] or "+") in "-−" or match["inner"] is not None
    return -value if negative else value
