"""Labels and yes/no answers: words out of a known list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from gpo.task.answer.mention import Mention
from gpo.task.answer.passages import restates
from gpo.task.answer.plain import UNSPACED, fold
from gpo.task.answer.reader import Answer, Prediction
from gpo.task.answer.rule import MentionReader

_AROUND = ".!,;:()[]$\\ "
_SAID = re.compile(r"\b(?:is|are)\s+(?:an?\s+)?$")
_OPERATOR = re.compile(r"[\s()]*\b(?:and|or)\b[\s()]*(?:not\b[\s()]*)*", re.IGNORECASE)
# "No" that goes with a noun ("no doubt", "no net displacement"), and not with the rest of a sentence ("no because").
_DETERMINER = re.compile(
    r"[ \t]+(?!(?:and|or|but|because|since|as|so|if|when|is|was|an?|the|this|that|these|those|there|it|he|she|you|we"
    r"|they|i|your|my|not|for|in|on|at|to|from|by|with|without|under|given|due|per|according|based|unless|while|after"
    r"|before|despite)\b(?!-))\w",
    re.IGNORECASE,
)
_GAP = re.compile(r"(?<=\w)[\s_-]+(?=\w)")
_UNSPACED = re.compile(f"[{UNSPACED}]")
# Korean puts its particles right behind the word.
_UNSPACED_END = re.compile(f"[{UNSPACED}\uac00-\ud7af]$")
_PAIRS = (
    ("yes", "no"),
    ("true", "false"),
    ("valid", "invalid"),
    ("correct", "incorrect"),
    ("plausible", "implausible"),
)
_ELSEWHERE = (
    *(
        ("ja", "nein"),
        ("oui", "non"),
        ("sí", "no"),
        ("si", "no"),
        ("sim", "não"),
        ("da", "net"),
        ("да", "нет"),
    ),
    *(("是", "否"), ("是的", "不是"), ("对", "不对"), ("はい", "いいえ"), ("네", "아니요"), ("예", "아니오")),
    *(("हाँ", "नहीं"), ("हां", "नहीं"), ("نعم", "لا"), ("evet", "hayır"), ("tak", "nie"), ("sì", "no")),
    *(("wahr", "falsch"), ("richtig", "falsch"), ("vrai", "faux"), ("verdadero", "falso"), ("正确", "错误")),
)
_DENIABLE = {"valid": "invalid", "correct": "incorrect", "plausible": "implausible"}


class LabelReader(MentionReader):
    """One of `labels`, in any case, as whole words; the longest label that fits is meant ("not spam", not "spam").

    A label's spaces, hyphens and underscores stand for each other, unless two labels differ in nothing else.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        if not labels:
            raise ValueError("no labels")
        self.labels = tuple(labels)
        self._loose = len({_loose(label) for label in labels}) == len(set(labels))
        self._by_key = {self._key(label): label for label in labels}
        longest_first = sorted(map(fold, self.labels), key=len, reverse=True)
        pattern = "|".join(self._pattern(label.strip()) for label in longest_first)
        flags = re.IGNORECASE if self._loose else 0
        self._longest = 2 * len(longest_first[0]) + 20
        self._mention = re.compile(pattern, flags)

    @property
    def form(self) -> str:
        return f"one of: {', '.join(self.labels)}"

    @property
    def request(self) -> str:
        return f"Give only your final answer, one of: {', '.join(self.labels)}."

    @property
    def continuation(self) -> str:
        return f"\nTherefore, the answer (one of: {', '.join(self.labels)}) is"

    def read_bare(self, text: str, question: str) -> Prediction:
        if len(text) > self._longest:
            return None
        key = self._key(text)
        return self._by_key.get(key, self._by_key.get(key.strip(_AROUND)))

    def mentions(self, text: str, question: str) -> list[Mention]:
        return [
            Mention(match.start(), match.end(), self._by_key[self._key(match[0])])
            for match in self._mention.finditer(text)
            if self._key(match[0]) in self._by_key
            and not (match[0].lower() == "no" and _DETERMINER.match(text, match.end()))
        ]

    def asserted(self, text: str, question: str) -> list[Mention]:
        """As for every kind, without a label that is but the heading ("Spam: the mail is not spam") of another one."""
        found = super().asserted(text, question)
        if not found or text[: found[0].start].strip() or text[found[0].end : found[0].end + 1] != ":":
            return found
        end = text.find("\n", found[0].end)
        line = [other for other in found[1:] if end < 0 or other.start < end]
        said = [_SAID.search(text[max(0, other.start - 12) : other.start]) for other in line]
        return found[1:] if any(said) else found

    def normal(self, target: str | float, question: str = "") -> Answer:
        text = str(target).strip()
        label = self._by_key.get(self._key(text))
        if label is None:
            raise ValueError(f"{quote(text)} is none of the labels {', '.join(map(quote, self.labels))}")
        return label

    def _key(self, text: str) -> str:
        return _loose(text) if self._loose else fold(text).strip()

    def _pattern(self, label: str) -> str:
        parts = _GAP.split(label) if self._loose else label.split()
        words = (r"[\s_-]+" if self._loose else r"\s+").join(re.escape(part) for part in parts)
        if _UNSPACED.fullmatch(label):
            # One such letter is a part of many words.
            return rf"(?:(?<=[是为為は])|(?<!\w)){words}(?!\w)"
        before = "" if _UNSPACED.match(label) else r"(?<!\w)(?<!\w-)"
        after = "" if _UNSPACED_END.search(label) else r"(?!\w)(?!-\w)"
        return f"{before}{words}{after}"


class BooleanReader(MentionReader):
    """Yes or no, in the words that the targets use (yes/no, true/false, valid/invalid, …).

    Predictions are the lower-case words of the targets. A reply in the words of another pair is read where it is that
    word and nothing else. "Not valid" is "invalid".
    """

    def __init__(self, targets: Iterable[str | float] = ()) -> None:
        seen = {_loose(str(target)) for target in targets}
        pairs = [pair for pair in _PAIRS if seen & set(pair)] or [_PAIRS[0]]
        self.words = pairs[0]
        self._own = {word: self.words[side] for pair in pairs for side, word in enumerate(pair)}
        pairs_anywhere = (*_ELSEWHERE, *_PAIRS)
        self._any = {
            _loose(word): self.words[side] for pair in pairs_anywhere for side, word in enumerate(pair)
        }
        self._labels = LabelReader(tuple(self._own))

    @property
    def form(self) -> str:
        return " or ".join(word.capitalize() for word in self.words)

    @property
    def request(self) -> str:
        return f"Give only your final answer: {self.form}."

    @property
    def continuation(self) -> str:
        return f"\nTherefore, the answer ({self.form}) is"

    def read_bare(self, text: str, question: str) -> Prediction:
        return None if len(text) > 40 else self._any.get(_loose(text).strip(_AROUND))

    def mentions(self, text: str, question: str) -> list[Mention]:
        found = self._labels.mentions(text, question)
        return [mention._replace(answer=self._own[str(mention.answer)]) for mention in found]

    def read_stated(self, passage: str, question: str) -> Prediction:
        """As for every kind; but an expression ("True and not False") that has yet to be worked out says nothing."""
        clause = re.split(r"(?<=[.!?;])\s", passage, maxsplit=1)[0]
        found = self.mentions(clause, question)
        if any(_OPERATOR.fullmatch(clause[one.end : two.start]) for one, two in pairwise(found)):
            return None
        return super().read_stated(passage, question)

    def unmarked(self, text: str, question: str) -> Prediction:
        answer = super().unmarked(text, question)
        if answer is None and not self.mentions(text, question):
            said = restates(text, question)
            answer = None if said is None else self.words[0 if said else 1]
        return answer

    def denied(self, text: str, mention: Mention) -> Prediction:
        opposite = _DENIABLE.get(text[mention.start : mention.end].lower())
        return None if opposite is None else self._own.get(opposite)

    def normal(self, target: str | float, question: str = "") -> Answer:
        answer = self._any.get(_loose(str(target)))
        if answer is None:
            raise ValueError(
                f"{quote(str(target))} is not {self.form}; for other words use answer kind label"
            )
        return answer


def quote(text: str) -> str:
    """`text` in quotes on one line, cut to 60 characters, for messages."""
    text = " ".join(text.split())
    return (
        ascii(text if len(text) <= 60 else text[:57] + "...") if not text.isprintable() else f'"{text[:60]}"'
    )


def _loose(text: str) -> str:
    return _GAP.sub(" ", fold(text).strip()).casefold()
