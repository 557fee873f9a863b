"""The one rule by which an answer is found in a reply, whatever its kind. Each kind is a `MentionReader`.

Sentences of the question that the reply repeats do not count. The first of these that gives an answer decides:
1. the whole reply is a bare answer;
2. the value of "answer", "label" and the like in JSON, or else an explicit marker (<answer>…</answer>, "\\boxed{…}",
   "the answer is …", "Answer: …", "#### …", the same words in other languages), the last one that holds an answer;
3. the last **bold** text or [[double brackets]] that is a bare answer;
4. the only answer that is mentioned at all; one that is denied ("not A"), ruled out ("A is wrong", "A would be right
   if …") or only supposed ("it may look like A") does not count;
5. the first line, where it is a bare answer and the rest only explains it;
6. the last line, where it is a bare answer;
7. the words that the reply begins with, set off by punctuation ("No, because …");
8. the only answer of the last line, or of its last "so …", unless the reply opened with another one;
9. the words that the reply ends with, after "is", "=" or a colon.
Where a reply corrects itself ("Wait, …"), see `corrections`. A reply that gives two answers and settles on neither is
unreadable, and so is one whose last "the answer is …" is followed by no answer at all, or whose two "final answers"
differ. Of a reply that was cut off at its length, 1, 2, 3 and 7 count, what stands before an unfinished
"Therefore …", and the only answer where the reply begins with it; one that only repeats its first paragraph is read
as that paragraph.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from gpo.task.answer.corrections import Corrected, explains, find_correction
from gpo.task.answer.markers import (
    MARKER,
    WRAPPING,
    find_emphasis,
    find_marked_passages,
    strip_commands,
    strip_markup,
)
from gpo.task.answer.meant import Standing, classify_standing
from gpo.task.answer.mention import Mention, classify_standings, holds_only, leaves_open, take_only
from gpo.task.answer.passages import find_json_answer, find_repeated_block, strip_question
from gpo.task.answer.plain import clip, fold, fold_question
from gpo.task.answer.reader import Prediction

_SETTLED = re.compile(
    r"\b(?:the|final|correct)\s+(?:(?:final|correct|right)\s+)?answer\b\W{0,3}(?:is\b|:)\W*(?=\w)",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"(?:\bfinal|(?:^|[.!?]\s|\n)[ \t]{0,9}(?:the\s)?(?:correct\s)?)\s?answer\b\s{0,9}(?:is\b\s{0,9}:?|:)",
    re.IGNORECASE,
)
CONCLUSION = re.compile(
    r"\W*(?:(?:and\s+)?(?:therefore|thus|hence|so|in conclusion|consequently|daher|folglich|demnach|donc|por\s+tanto"
    r"|por\s+lo\s+tanto|entonces|quindi|portanto)\b|因此|所以|故|よって|したがって|따라서|इसलिए)",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s")
_TAIL = re.compile(r"(?:=|:|→|->|\bis|\bbe)[\s\"'“(*]*$", re.IGNORECASE)
_UNSURE = re.compile(
    r"\b(?:not\s+(?:quite\s+)?sure|unsure|undecided|torn|don['’]t\s+know|can(?:not|['’]t)\s+(?:decide|tell|say))\s+"
    r"(?:which|between|if|whether)\b",
    re.IGNORECASE,
)
_LAST = 200
_MOST_MENTIONS = 150
_SHORT = 30


class MentionReader(ABC):
    """An answer kind whose answers can be recognised within prose; `marker` is what announces one."""

    marker = MARKER
    dropped = frozenset[Standing](("denied",))
    """How a mention may stand that is never the answer; the others of `_NOT_MEANT` count where nothing else does."""

    @abstractmethod
    def read_bare(self, text: str, question: str) -> Prediction:
        """The answer that `text` (trimmed of quotes and markup) is, and nothing besides; None otherwise."""

    @abstractmethod
    def mentions(self, text: str, question: str) -> list[Mention]:
        """All answers within `text`, in their order."""

    def read(self, text: str, question: str = "") -> Prediction:
        """The answer in `text` by the rule of this module."""
        question = fold_question(question)
        text = clip(text)
        if len(text) < _SHORT and (answer := self.at_once(text, question)) is not None:
            return answer
        return self._read(self.relevant(text, question), question)

    def read_cut(self, text: str, question: str = "") -> Prediction:
        """The answer in a reply that was cut off: what it has said for good, and no guess from its middle."""
        text, question = clip(text), fold_question(question)
        if (block := find_repeated_block(text)) is not None:
            return self.read(block, question)
        text = self.relevant(text, question)
        answer = self.explicit(text, question)
        return self.unfinished(text, question) if answer is None else answer

    def at_once(self, text: str, question: str) -> Prediction:
        """The answer that a short `text` is as it stands."""
        return self._read_bare(text, question)

    def relevant(self, text: str, question: str) -> str:
        """What of `text` can answer `question`, in plain characters."""
        return strip_commands(strip_question(fold(text), question))

    def unfinished(self, text: str, question: str) -> Prediction:
        """The answer that a cut-off reply without markers has given already."""
        plain = strip_markup(text).strip()
        found = self.asserted(plain, question)
        if found and (
            self.leads(plain, found) or (take_only(found) and not plain[: found[0].start].strip(WRAPPING))
        ):
            return found[0].answer
        before, _, last = plain.rpartition("\n")
        if not CONCLUSION.match(last) or not before.strip():
            return None
        return take_only(self.asserted(before.strip().rsplit("\n", 1)[-1], question))

    def read_stated(self, passage: str, question: str) -> Prediction:
        """The answer that directly follows a marker."""
        clause = _SENTENCE_END.split(passage, maxsplit=1)[0]
        for part in (passage, clause):
            if (answer := self._read_bare(part, question)) is not None:
                return answer
        found = self.asserted(clause, question)
        if not found:
            return None
        first = found[0]
        if take_only(found) is None and holds_only(clause, found):
            return None
        for other in found[1:]:
            if other.answer != first.answer and leaves_open(clause[first.end : other.start]):
                return None
        return first.answer

    def explicit(self, text: str, question: str) -> Prediction:
        """The answer that `text` gives in so many words: as the whole, in JSON, behind a marker or in bold."""
        answer = self._read_bare(text, question)
        if answer is None and (value := find_json_answer(text)) is not None:
            answer = self.read_stated(value, question)
        return self._read_marked(text, question) if answer is None else answer

    def unmarked(self, text: str, question: str) -> Prediction:
        """The answer of a reply that announces none."""
        plain = strip_markup(text).strip()
        found = self.asserted(plain, question)
        if not found:
            return None
        if self._settles_on_something_else(plain, found):
            return found[0].answer if self.leads(plain, found) else None
        if (answer := take_only(found)) is not None:
            return answer
        if holds_only(plain, found):
            return None
        lines = [line for line in plain.split("\n") if line.strip()]
        opening, last = self._read_bare(lines[0], question), self._read_bare(lines[-1], question)
        if opening is not None and explains(plain):
            return opening
        if last is not None:
            return None if opening not in (None, last) and self._only_answers(lines, question) else last
        if self.leads(plain, found):
            return found[0].answer
        answer = self._of_the_last_line(lines[-1], question)
        answer = self._at_the_end(plain, found[-1]) if answer is None else answer
        return None if self._reopened(plain, lines, answer, question) else answer

    def _read(self, text: str, question: str) -> Prediction:
        if (found := find_correction(text)) is not None:
            return self._corrected(text, found, question)
        if self._final_answers_differ(text, question):
            return None
        answer = self.explicit(text, question)
        if answer is None and not _UNSURE.search(text, max(0, len(text) - _LAST)):
            answer = self.unmarked(text, question)
        return answer

    def _corrected(self, text: str, found: Corrected, question: str) -> Prediction:
        """What a reply gives that says "Wait, …": the explicit answer behind that, or the one before where nothing
        behind speaks against it."""
        if (answer := self._read_bare(text, question)) is not None:
            return answer
        after = self.explicit(found.after, question)
        if after is not None:
            return after
        before = self.explicit(found.before, question)
        if before is None:
            return self.unmarked(text, question)
        if found.confirms:
            return before
        others = self.asserted(strip_markup(found.after), question)
        if all(mention.answer == before for mention in others):
            return before
        concluded = self.unmarked(found.conclusion, question) if found.conclusion else None
        return others[-1].answer if concluded is None and others[-1].answer == before else concluded

    def _read_bare(self, text: str, question: str) -> Prediction:
        trimmed = text.strip(WRAPPING)
        return self.read_bare(trimmed, question) if trimmed else None

    def _read_marked(self, text: str, question: str) -> Prediction:
        for passage in find_marked_passages(text, self.marker):
            if (answer := self.read_stated(passage, question)) is not None:
                return answer
        later: tuple[int, Prediction] = (len(text), None)
        for start, bold in reversed(find_emphasis(text)[-_MOST_MENTIONS:]):
            answer, end = self._read_bare(bold.rstrip(":"), question), start + len(bold) + 4
            if answer is None or classify_standing(text, start, end) in ("denied", "ruled_out"):
                continue
            if later[1] is None:
                later = start, answer
            else:
                # "**A** or **B**" settles on neither.
                return None if answer != later[1] and leaves_open(text[end : later[0]]) else later[1]
        return later[1]

    def _of_the_last_line(self, line: str, question: str) -> Prediction:
        if (answer := take_only(self.asserted(line, question))) is not None:
            return answer
        concluding = [part for part in _SENTENCE_END.split(line) if CONCLUSION.match(part)]
        return take_only(self.asserted(concluding[-1], question)) if concluding else None

    def _at_the_end(self, text: str, final: Mention) -> Prediction:
        ends = not text[final.end :].strip(WRAPPING + ".!)")
        return final.answer if ends and _TAIL.search(text[max(0, final.start - 12) : final.start]) else None

    def _reopened(self, text: str, lines: list[str], answer: Prediction, question: str) -> bool:
        """Whether `answer`, found at the end, is another one than the reply opened with and said no more of."""
        if answer is None or CONCLUSION.match(lines[-1]):
            return False
        opening = take_only(self.asserted(lines[0], question))
        return opening not in (None, answer) and (
            explains(text) or self._read_bare(lines[0], question) is not None
        )

    def _only_answers(self, lines: list[str], question: str) -> bool:
        return len(lines) <= 9 and all(self._read_bare(line, question) is not None for line in lines)

    def _final_answers_differ(self, text: str, question: str) -> bool:
        if text.count("nswer") < 2:
            return False
        plain = strip_markup(text)
        places = [match.end() for match in _FINAL.finditer(plain)][-9:]
        answers = [
            self.read_stated(plain[place : place + 200].strip(WRAPPING).split("\n", 1)[0], question)
            for place in places
        ]
        return len({answer for answer in answers if answer is not None}) > 1

    def leads(self, text: str, found: list[Mention]) -> bool:
        """Whether the first mention opens the reply as its answer."""
        first = found[0]
        opens = not text[: first.start].strip(WRAPPING)
        return opens and text[first.end : first.end + 1] in (*",.;:!", "\n")

    def _settles_on_something_else(self, text: str, found: list[Mention]) -> bool:
        markers = list(_SETTLED.finditer(text)) if "nswer" in text else []
        return bool(markers) and found[-1].start < markers[-1].start()

    def denied(self, text: str, mention: Mention) -> Prediction:
        """What a denied mention ("not A") says; None where it says nothing."""
        return None

    def asserted(self, text: str, question: str) -> list[Mention]:
        """The mentions that are meant, and what denied ones say."""
        found = self.mentions(text, question)
        if len(found) > _MOST_MENTIONS:
            found = found[:20] + found[20 - _MOST_MENTIONS :]
        stands = classify_standings(text, found, self.strip_options(question))
        kept, doubtful = [], []
        for mention, stand in zip(found, stands, strict=True):
            if stand == "meant":
                kept.append(mention)
            elif stand == "denied" and (answer := self.denied(text, mention)) is not None:
                kept.append(mention._replace(answer=answer))
            elif stand not in self.dropped:
                doubtful.append(mention)
        # What is only supposed counts where it is one answer, and nothing else is said.
        return kept or (doubtful if take_only(doubtful) is not None else [])

    def strip_options(self, question: str) -> str:
        """What `question` asks, without the answers that it offers."""
        return question
