"""Reading an answer from a reply. One rule for every kind, in this order:

1. the whole reply is the answer; 2. the answer after the last explicit marker ("the answer is", "####", \\boxed{}, a
final **bold**); 3. the only answer mentioned; 4. the only answer mentioned in the last line; 5. unreadable (None).

Knows no model and no metric. An unreadable reply is never taken for the first or the most frequent answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gpo.task.numbers import number, numbers

Prediction = str | float | tuple[str, ...] | None

_MARKER = re.compile(
    r"(?:\b(?:answer|label|category|result|output)\b\s*(?:is|are|would be|will be|to the question is)?\s*[:=]?\s*"
    r"(?<=[\s:=])|####|\\boxed\s*\{)",
    re.IGNORECASE,
)
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*[\s.!]*$")
_EDGES = " \t\n\r\"'`*_.,;:!?()[]{}<>“”‘’«»#=-–—"


class AnswerReader(Protocol):
    """Reads one kind of answer."""

    def read(self, text: str) -> Prediction:
        """The answer in a reply, None where it cannot be read."""

    def normal(self, target: object) -> Prediction:
        """An expected answer in the same form, None where it is no answer of this kind."""

    @property
    def form(self) -> str:
        """What an answer is, in words that complete "each answer is …"; "" where nothing is known."""

    @property
    def request(self) -> str:
        """The second round's turn: asks for the bare answer."""


@dataclass(frozen=True)
class LabelReader:
    """One of `labels`, whatever the case; where labels overlap ("spam", "not spam") the longer one counts."""

    labels: Sequence[str]
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _names: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        longest_first = sorted(self.labels, key=len, reverse=True)
        words = "|".join(re.escape(label) for label in longest_first) or r"(?!)"
        object.__setattr__(self, "_pattern", re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE))
        object.__setattr__(self, "_names", {label.casefold(): label for label in reversed(self.labels)})

    def read(self, text: str) -> Prediction:
        """The label in a reply."""
        return read_mention(text, self._found)

    def normal(self, target: object) -> Prediction:
        """The label that `target` spells, None where it is none of them."""
        return self._names.get(str(target).strip().casefold())

    @property
    def form(self) -> str:
        """Names the labels."""
        return f"exactly one of these: {', '.join(self.labels)}"

    @property
    def request(self) -> str:
        """Asks for one of the labels."""
        return f"So what is the answer? Reply with only one of these: {', '.join(self.labels)}."

    def _found(self, text: str) -> list[Prediction]:
        bare = text.strip(_EDGES).casefold()
        if bare in self._names:
            return [self._names[bare]]
        return [self._names.get(match[0].casefold(), match[0]) for match in self._pattern.finditer(text)]


@dataclass(frozen=True)
class ChoiceReader:
    """A letter of a multiple choice, "(A)", "A." or "option A"; read as "(A)"."""

    form: str = "the letter of one option in parentheses, such as (A)"
    request: str = "So which option is right? Reply with only its letter in parentheses."

    def read(self, text: str) -> Prediction:
        """The letter in a reply, as "(A)"."""
        return read_mention(text, self._found)

    def normal(self, target: object) -> Prediction:
        """The letter that `target` is, as "(A)"."""
        letter = str(target).strip().strip("().:").upper()
        return f"({letter})" if len(letter) == 1 and letter.isalpha() and letter.isascii() else None

    def _found(self, text: str) -> list[Prediction]:
        bare = text.strip(_EDGES)
        if len(bare) == 1 and bare.isascii() and bare.isalpha():
            return [f"({bare.upper()})"]
        # Most explicit spelling first: "(B)" settles it even where the prose has an article "A".
        for pattern in (r"\(([A-Za-z])\)", r"\b(?:[Oo]ption|[Cc]hoice)\s+([A-Z])\b", r"(?:^|[\s*])([A-Z])[.):](?=\s|\*|$)"):
            if letters := re.findall(pattern, text, re.MULTILINE):
                return [f"({letter.upper()})" for letter in letters]
        # A bare capital; "A" may be an article and "I" a pronoun where a word follows.
        return [f"({m})" for m in re.findall(r"(?<![\w'])(?!(?:A|I)\s+[a-z])([A-Z])(?![\w'])", text)]


@dataclass(frozen=True)
class NumberReader:
    """A number; the last one of a reply where no marker names it (a calculation ends with its result)."""

    form: str = "a number"
    request: str = "So what is the answer? Reply with only the number."

    def read(self, text: str) -> Prediction:
        """The number in a reply."""
        for part in marked_parts(text):
            if found := numbers(part.splitlines()[0] if part.strip() else ""):
                return found[0]
        found = numbers(text)
        return found[-1] if found else None

    def normal(self, target: object) -> Prediction:
        """The number that `target` is."""
        return number(target)


@dataclass(frozen=True)
class BooleanReader:
    """One of two opposite words, such as Yes and No; read in the spelling of `labels` (true word, false word)."""

    labels: tuple[str, str] = ("Yes", "No")

    _TRUE = ("yes", "true", "correct", "valid", "1")
    _FALSE = ("no", "false", "incorrect", "invalid", "0")

    def read(self, text: str) -> Prediction:
        """The word in a reply; "true" counts as the true label whatever its own spelling is, and so on."""
        return read_mention(text, self._found)

    def normal(self, target: object) -> Prediction:
        """The label that `target` means."""
        return self._label(str(target).strip())

    @property
    def form(self) -> str:
        """Names both words."""
        return f"{self.labels[0]} or {self.labels[1]}"

    @property
    def request(self) -> str:
        """Asks for one of the two words."""
        return f"So what is the answer? Reply with only {self.labels[0]} or {self.labels[1]}."

    def _found(self, text: str) -> list[Prediction]:
        own = LabelReader(self.labels)._found(text)
        if own:
            return own
        words = re.findall(r"(?<!\w)(?:yes|no|true|false|correct|incorrect|valid|invalid)(?!\w)", text, re.IGNORECASE)
        return [self._label(word) for word in words]

    def _label(self, word: str) -> str | None:
        low = word.casefold()
        for index, words in enumerate((self._TRUE, self._FALSE)):
            if low == self.labels[index].casefold() or low in words:
                return self.labels[index]
        return None


@dataclass(frozen=True)
class WordsReader:
    """Words in an order, read as a tuple of lower-case words; separators, numbering and a lead-in are dropped."""

    form: str = "words in the right order, separated by spaces"
    request: str = "So what is the answer? Reply with only the words, in order, separated by spaces."

    def read(self, text: str) -> Prediction:
        """The words of a reply: of the marked part, else of the longest run of lines without prose."""
        parts = [*marked_parts(text), *reversed(re.split(r":\s*\n?|\n\s*\n", text)), text]
        lists = [words for part in parts if (words := self._words(part))]
        return max(lists, key=len) if lists and not marked_parts(text) else lists[0] if lists else None

    def normal(self, target: object) -> Prediction:
        """The words of a target: a list, or a text of words."""
        text = " ".join(map(str, target)) if isinstance(target, list | tuple) else str(target)
        return self._words(text) or None

    @staticmethod
    def _words(text: str) -> tuple[str, ...]:
        lines = [re.sub(r"^\s*(?:\d+[.)]|[-*•])\s*", "", line) for line in text.strip().splitlines()]
        words = re.split(r"[\s,;|>→]+", " ".join(lines))
        return tuple(word for word in (w.strip(_EDGES).lower() for w in words) if word)


@dataclass(frozen=True)
class TextReader:
    """The whole reply, stripped."""

    form: str = ""
    request: str = "So what is the answer? Reply with only the answer."

    def read(self, text: str) -> Prediction:
        """The stripped text, None where nothing is left."""
        return text.strip() or None

    def normal(self, target: object) -> Prediction:
        """The target as text; several references stay several."""
        if isinstance(target, list | tuple):
            return tuple(str(item).strip() for item in target)
        return str(target).strip()


def read_mention(text: str, found: object) -> Prediction:
    """Rules 1 to 4 of this module for answers that can be listed; `found` lists the answers in a text."""
    assert callable(found)
    for part in [text if len(text) < 40 else "", *marked_parts(text), text, _last_line(text)]:
        distinct = dict.fromkeys(found(part))
        distinct.pop(None, None)
        if len(distinct) == 1:
            answer: Prediction = next(iter(distinct))
            return answer
    return None


def marked_parts(text: str) -> list[str]:
    """What follows the explicit markers, the last one first; each up to the end of its line."""
    parts: list[str] = []
    if bold := _BOLD.search(text.rstrip()):
        parts.append(bold[1])
    for match in reversed(list(_MARKER.finditer(text))):
        rest = text[match.end() :].lstrip(" \t*:=\n")
        if line := rest.split("\n", 1)[0].strip():
            parts.append(line.split("}", 1)[0] if match[0].startswith("\\") else line)
    return parts


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
