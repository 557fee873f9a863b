"""Numbers: thousands separators, decimals, signs, currency, percent, fractions, small number words. Knows no metric."""

from __future__ import annotations

import math
import re

from gpo.task.answer.label import shown
from gpo.task.answer.markers import ANSWER_MARKER, without_markup
from gpo.task.answer.numeral import numerals
from gpo.task.answer.reader import Answer, Prediction
from gpo.task.answer.rule import CONCLUSION, Mention, MentionReader
from gpo.task.answer.spelled import spelled

_ENUMERATOR = re.compile(r"^[ \t]*\d{1,2}[.)](?=[ \t]+\S)", re.MULTILINE)
_FRACTION = re.compile(r"(?:(?<=\d)(?P<mixed>)[ ]?)?\\[dt]?frac\{(?P<above>[-−]?\d+)\}\{(?P<below>\d+)\}")
# The ways of LaTeX to write the comma of "1,000".
_THOUSANDS = re.compile(r"(?<=\d)(?:\{,\}|\\,|,\\!)(?=\d{3}(?!\d))")
_CLAUSE_END = re.compile(r"(?<=[.!?;])\s|\n")
_OPERATION = re.compile(r"[\s)]*(?:[-+−*/×÷·x]|\\times|\\cdot)[\s(]*[$€£\d.]?")


class NumberReader(MentionReader):
    """A number, read as a float.

    Behind a marker it is the number after the last "=" of the first sentence, or else the first number; without a
    marker the last number of the last sentence that has one, one of the question's only where that sentence has no
    other. Of "8 = 5 + 3" it is the 8. A percent sign changes nothing ("50%" is 50). Number words count where the text
    has no digits. Where the number in that place cannot be read ("3:45"), none is.
    """

    form = "a number"
    marker = ANSWER_MARKER
    request = "Give only your final answer: the number."
    continuation = "\nTherefore, the answer (a number) is"

    def relevant(self, text: str, question: str) -> str:
        return _FRACTION.sub(_in_line, _THOUSANDS.sub(",", super().relevant(text, question)))

    def bare(self, text: str, question: str) -> Prediction:
        text = text.rstrip(".!,;")
        found = self.mentions(text, question)
        whole = len(found) == 1 and not (text[: found[0].start] + text[found[0].end :]).strip(" $€£%\\()[]")
        return _readable(found) if whole else None

    def mentions(self, text: str, question: str) -> list[Mention]:
        """As for every kind; a number that cannot be read is nan."""
        text = _ENUMERATOR.sub(lambda match: " " * len(match[0]), text)
        found = numerals(text)
        if not found and not any(character.isdigit() for character in text):
            found = spelled(text)
        return [Mention(number.start, number.end, number.value) for number in found]

    def stated(self, passage: str, question: str) -> Prediction:
        clause = _CLAUSE_END.split(passage, maxsplit=1)[0]
        found = self.asserted(clause, question)
        if (results := _left_of_sum(clause, found)) is not None:
            return _readable(results)
        equals = clause.rfind("=")
        after = [mention for mention in found if mention.start >= equals >= 0]
        return _readable((after or found)[:1])

    def unmarked(self, text: str, question: str) -> Prediction:
        plain = without_markup(text)
        found = self.asserted(plain, question)
        if not found:
            return None
        start = max((end.end() for end in _CLAUSE_END.finditer(plain, 0, found[-1].start)), default=0)
        sentence = [mention for mention in found if mention.start >= start]
        if (results := _left_of_sum(plain, sentence)) is not None:
            return _readable(results)
        given = self._given(question)
        new = [mention for mention in sentence if abs(float(str(mention.answer))) not in given]
        return _readable((new or found)[-1:])

    def unfinished(self, text: str, question: str) -> Prediction:
        plain = without_markup(text).strip()
        every = self.mentions(plain, question)
        if len(every) == 1 and not plain[: every[0].start].strip():
            return _readable(every)
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
        return None if abs(float(str(found[0].answer))) in self._given(question) else _readable(found)

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
