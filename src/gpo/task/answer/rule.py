"""The one rule by which an answer is found in a reply, whatever its kind. Knows no kind: those are `MentionReader`s.

Sentences of the question that the reply repeats do not count. The first of these that gives an answer decides:
1. the whole reply is a bare answer;
2. the value of "answer", "label" and the like in JSON, or else an explicit marker ("the answer is …", "Answer: …",
   "#### …", "\\boxed{…}"), the last one that holds an answer;
3. the last **bold** text that is a bare answer;
4. the only answer that is mentioned at all (a denied one, "not A", does not count);
5. the last line, where it is a bare answer;
6. the words that the reply begins with, set off by punctuation ("No, because …");
7. the only answer that the last line mentions;
8. the words that the reply ends with, after "is", "=" or a colon.
A reply that gives two answers and settles on neither is unreadable, and so is one whose last "the answer is …" is
followed by no answer at all. Of a reply that was cut off at its length, 1, 2, 3 and 6 count, what stands before an
unfinished "Therefore …", and the only answer where the reply begins with it; one that only repeats its first
paragraph is read as that paragraph.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

from gpo.task.answer.passages import json_answer, repeated_block, without_question
from gpo.task.answer.reader import Answer, Prediction

# What "answer" is said of may stand between it and its verb, but no clause of its own, and no denial: "the answer
# cannot be (A)" announces nothing. "To answer …" announces nothing either, but for "to answer the question: …".
_BRIDGE = r"""(?:(?!\b(?:whether|not|never|cannot|answer|that\s+there)\b|n['’]t\b
      |(?<!answer\ )(?<!option\ )(?<!choice\ )\bthat\b)[^.\n:=,]){0,80}?"""
_ANSWER = rf"""(?<!provided\ )(?<!given\ )(?<!suggested\ )(?<!possible\ )(?<!\bto\ )\banswer\b
      (?!\s+(?:states|says|claims|suggests)\b)(?:,?\s+(?:then|thus|therefore|hence|however|finally)\b,?)?
      {_BRIDGE}(?:\b(?:is|are|was|be)\b\s*:?|[:=])
    | (?<=\bto\ )answer\s+(?:the|your|this)\s+question\s*:
    | \#\#\#\#"""
ANSWER_MARKER = re.compile(_ANSWER, re.IGNORECASE | re.VERBOSE)
MARKER = re.compile(
    rf"""{_ANSWER}
    | \b(?:correct|right|best|final)\s+(?:option|choice|label|category|class)\s*(?:\bis\b\s*:?|[:=])
    | \b(?:label|category|class)"?\s*(?:\bis\b\s*:?|[:=])""",
    re.IGNORECASE | re.VERBOSE,
)
_SETTLED = re.compile(
    r"\b(?:the|final|correct)\s+(?:(?:final|correct|right)\s+)?answer\b\W{0,3}(?:is\b|:)\W*(?=\w)",
    re.IGNORECASE,
)
CONCLUSION = re.compile(r"\W*(?:therefore|thus|hence|so|in conclusion|consequently)\b", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\{([^{}]{0,300}(?:\{[^{}]{0,300}\}[^{}]{0,300})?)\}")
_LATEX_TEXT = re.compile(r"\\(?:text|mathrm|mathbf|textbf)\{([^{}]*)\}")
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*|__([^_\n]{1,200})__")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s")
_DENIED = re.compile(
    r"(?:\b(?:not|cannot|never|neither|nor)|n['’]t)\s+(?:be\s+)?(?:equal\s+(?:to\s+)?)?(?:\w+ly\s+)?(?:an?\s+|the\s+)?\W?$",
    re.IGNORECASE,
)
_SOUGHT = re.compile(
    r"\bto\s+(?:find|get|give|reach|determine|calculate|compute|work\s+out)\s+(?:the|this|an|our|my)\s+"
    r"(?:\w+\s+)?$",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(r"(?:[^\w/|]*[/|]|\W*(?:or|and|nor))\W*", re.IGNORECASE)
_TAIL = re.compile(r"(?:=|:|→|->|\bis|\bbe)[\s\"'“(*]*$", re.IGNORECASE)
# Not so where it raises a number to its power ("10**6").
_EMPHASIS = re.compile(r"\*\*(?!(?<=\d\*\*)\d|(?<=\d\ \*\*)\ \d)")
_MOST_MARKERS = 100
_WRAPPING = " \t\r\n\"'“”‘’`*_"


class Mention(NamedTuple):
    """An answer that stands at `start:end` of a text."""

    start: int
    end: int
    answer: Answer


class MentionReader(ABC):
    """An answer kind whose answers can be recognised within prose; `marker` is what announces one."""

    marker = MARKER

    @abstractmethod
    def bare(self, text: str, question: str) -> Prediction:
        """The answer that `text` (trimmed of quotes and markup) is, and nothing besides; None otherwise."""

    @abstractmethod
    def mentions(self, text: str, question: str) -> list[Mention]:
        """All answers within `text`, in their order."""

    def read(self, text: str, question: str = "") -> Prediction:
        """The answer in `text` by the rule of this module."""
        text = self.relevant(text, question)
        answer = self._explicit(text, question)
        return self._unmarked(text, question) if answer is None else answer

    def read_cut(self, text: str, question: str = "") -> Prediction:
        """The answer in a reply that was cut off: what it has said for good, and no guess from its middle."""
        if (block := repeated_block(text)) is not None:
            return self.read(block, question)
        text = self.relevant(text, question)
        answer = self._explicit(text, question)
        return self.unfinished(text, question) if answer is None else answer

    def relevant(self, text: str, question: str) -> str:
        """What of `text` can answer `question`."""
        return without_question(text, question)

    def unfinished(self, text: str, question: str) -> Prediction:
        """The answer that a cut-off reply without markers has given already."""
        plain = without_markup(text).strip()
        found = self.asserted(plain, question)
        if found and (
            self.leads(plain, found) or (_only(found) and not plain[: found[0].start].strip(_WRAPPING))
        ):
            return found[0].answer
        before, _, last = plain.rpartition("\n")
        if not CONCLUSION.match(last) or not before.strip():
            return None
        return _only(self.asserted(before.strip().rsplit("\n", 1)[-1], question))

    def stated(self, passage: str, question: str) -> Prediction:
        """The answer that directly follows a marker."""
        clause = _SENTENCE_END.split(passage, maxsplit=1)[0]
        for part in (passage, clause):
            if (answer := self._bare(part, question)) is not None:
                return answer
        found = self.asserted(clause, question)
        if not found:
            return None
        first = found[0]
        for other in found[1:]:
            undecided = _ALTERNATIVE.fullmatch(clause[first.end : other.start])
            if other.answer != first.answer and undecided:
                return None
        return first.answer

    def _explicit(self, text: str, question: str) -> Prediction:
        answer = self._bare(text, question)
        if answer is None and (value := json_answer(text)) is not None:
            answer = self.stated(value, question)
        return self._marked(text, question) if answer is None else answer

    def _bare(self, text: str, question: str) -> Prediction:
        trimmed = text.strip(_WRAPPING)
        return self.bare(trimmed, question) if trimmed else None

    def _marked(self, text: str, question: str) -> Prediction:
        for passage in marked_passages(text, self.marker):
            if (answer := self.stated(passage, question)) is not None:
                return answer
        for bold in reversed(list(_BOLD.finditer(text))):
            answer = self._bare((bold[1] or bold[2]).rstrip(":"), question)
            if answer is not None and not _DENIED.search(text[max(0, bold.start() - 40) : bold.start()]):
                return answer
        return None

    def _unmarked(self, text: str, question: str) -> Prediction:
        plain = without_markup(text).strip()
        found = self.asserted(plain, question)
        if not found:
            return None
        if self._settles_on_something_else(plain, found):
            return found[0].answer if self.leads(plain, found) else None
        if (answer := _only(found)) is not None:
            return answer
        last = plain.rsplit("\n", 1)[-1]
        if (answer := self._bare(last, question)) is not None:
            return answer
        if self.leads(plain, found):
            return found[0].answer
        if (answer := _only(self.asserted(last, question))) is not None:
            return answer
        final = found[-1]
        ends = not plain[final.end :].strip(_WRAPPING + ".!)")
        return final.answer if ends and _TAIL.search(plain[max(0, final.start - 12) : final.start]) else None

    def leads(self, text: str, found: list[Mention]) -> bool:
        """Whether the first mention opens the reply as its answer."""
        first = found[0]
        opens = not text[: first.start].strip(_WRAPPING)
        return opens and text[first.end : first.end + 1] in (*",.;:!", "\n")

    def _settles_on_something_else(self, text: str, found: list[Mention]) -> bool:
        markers = list(_SETTLED.finditer(text))
        return bool(markers) and found[-1].start < markers[-1].start()

    def denied(self, text: str, mention: Mention) -> Prediction:
        """What a denied mention ("not A") says; None where it says nothing."""
        return None

    def asserted(self, text: str, question: str) -> list[Mention]:
        """The mentions that are not denied, and what denied ones say."""
        kept = []
        for mention in self.mentions(text, question):
            if not _DENIED.search(text[max(0, mention.start - 40) : mention.start]):
                kept.append(mention)
            elif (answer := self.denied(text, mention)) is not None:
                kept.append(mention._replace(answer=answer))
        return kept


def marked_passages(text: str, marker: re.Pattern[str] = MARKER) -> Iterator[str]:
    """What stands behind explicit markers, the last one first (boxes before words): the rest of the line, or the
    next line with content."""
    boxes = list(_BOXED.finditer(text))[-_MOST_MARKERS:]
    yield from reversed([_LATEX_TEXT.sub(r"\1", match[1]) for match in boxes])
    plain = without_markup(text)
    # A reply that says "the answer is" without end has settled on nothing long before.
    for match in list(marker.finditer(plain))[: -_MOST_MARKERS - 1 : -1]:
        if _SOUGHT.search(plain[max(0, match.start() - 40) : match.start()]):
            continue
        rest = plain[match.end() : match.end() + 1000].strip(_WRAPPING + ":")
        if rest:
            yield rest.split("\n", 1)[0].strip()


def without_markup(text: str) -> str:
    """`text` without the asterisks and backticks of emphasis, which stand between a marker and its answer."""
    return _EMPHASIS.sub("", text).replace("__", " ").replace("`", "")


def _only(found: list[Mention]) -> Prediction:
    answers = {mention.answer for mention in found}
    return answers.pop() if len(answers) == 1 else None
