"""Lettered choices: "(A)", "A.", "Option A". The options are those that the question lists."""

from __future__ import annotations

import re
from functools import lru_cache

from gpo.task.answer.label import LabelReader, quote
from gpo.task.answer.markers import strip_commands
from gpo.task.answer.meant import Standing, classify_standing
from gpo.task.answer.mention import Mention
from gpo.task.answer.plain import UNSPACED, clip, fold, fold_question
from gpo.task.answer.reader import Answer, Prediction
from gpo.task.answer.rule import MentionReader

_NOUN = (
    r"(?:option|choice|answer|alternative|letter|antwort(?:möglichkeit)?|buchstabe|réponse|lettre|opción|respuesta|letra"
    r"|opção|resposta|opzione|risposta|lettera|选项|選項|選択肢)"
)
_BARE = re.compile(rf"(?:{_NOUN}\s*(?::\s*)?)?[(\[]{{0,3}}([A-Za-z])[)\]]{{0,3}}[.:,]?", re.IGNORECASE)
_WITH_TEXT = re.compile(r"(?:\(([A-Z])\)|([A-Z])[.):、])\s*(\S.*)")
_LETTER = re.compile(r"(?<![\w'’])[A-Z](?![\w'’])")
_NAMED = re.compile(rf"\b{_NOUN}[ ]+$", re.IGNORECASE)
_IS = re.compile(r"(?:\b(?:be|is)|['’]s)[ ]$")
_JUDGED = re.compile(
    r"[ ](?:is|are|isn['’]t)[ ](?:\w+ly[ ])?(?:the[ ])?"
    r"(?:correct|right|best|answer|true|wrong|incorrect|false|not|tempting|out|ruled)\b"
)
# "A and B are correct": the first letter is judged with the second.
_JUDGED_TOGETHER = re.compile(rf"[ ](?:and|or|nor|&)[ ][A-Z](?={_JUDGED.pattern})")
_CONCLUDED = re.compile(
    r"\b(?:therefore|thus|hence|so|definitely|certainly|clearly|probably),?[ ]$", re.IGNORECASE
)
_HEADS = re.compile(r"[.:](?=[ \t]+\S)|、|[ \t]*(?:\n|$)")
_ENDS = re.compile(r"[.,;:)!]|[ \t]*(?:\n|$)|[ ](?:because|since|as)\b")
_UNSPACED_BEFORE, _UNSPACED_AFTER = re.compile(rf"[{UNSPACED}][ ]$"), re.compile(rf"[ ][{UNSPACED}]")
_NEAR = 24
_MOST_LETTERS = 1_000
# Behind a marker a letter may stand alone; "A" and "I" only where the clause cannot go on as prose.
_STATED = re.compile(
    rf"(?:(?i:{_NOUN}|die|der|das|la|le|el|il|the)\s+){{0,2}}"
    rf"(?:([B-HJ-Z])\b(?!['’]|\s*(?:/|(?i:or|and|oder|und|ou|et|o|y)\b))"
    rf"|([AI])(?=$|\s*[.,:;)\-–—]|\s+(?i:because|since|as|is|weil|car|porque|है)\b|\s*[{UNSPACED}\uac00-\ud7af]))"
)
_ANOTHER = re.compile(
    r"\s{0,9}(?:,|&|/|\+|\band\b|\bor\b|或|和|与|か|、)\s{0,9}\(?[A-Z]\)?\s{0,9}(?:$|[.,;)、]|[ぁ-ん])"
)
_OPTION = re.compile(r"^[ \t]*(?:\(([A-Z])\)|([A-Z])[.)、])[ \t]*(\S[^\n]*)$", re.MULTILINE)
_MATH = re.compile(r"\$\s{0,3}\(?([A-Z])\)?\s{0,3}\$|\\[(\[]\s{0,3}\(?([A-Z])\)?\s{0,3}\\[)\]]")
_LONGEST_UNKNOWN = 60


class ChoiceReader(MentionReader):
    """A letter, read as "A". Where the question lists its options, other letters do not count, and a reply that gives
    an option's text in place of its letter is read as that letter."""

    form = "the letter of an option, such as (A)"
    request = "Give only your final answer: the letter of the option, such as (A)."
    continuation = "\nTherefore, among the options, the answer is"
    dropped = frozenset[Standing](("denied", "ruled_out"))

    def read(self, text: str, question: str = "") -> Prediction:
        answer = super().read(text, question)
        return self._read_named(text, question, cut=False) if answer is None else answer

    def read_cut(self, text: str, question: str = "") -> Prediction:
        answer = super().read_cut(text, question)
        return self._read_named(text, question, cut=True) if answer is None else answer

    def relevant(self, text: str, question: str) -> str:
        text = _MATH.sub(r"(\1\2)", strip_commands(fold(text)))
        return _without_listing(text, find_options(question))

    def strip_options(self, question: str) -> str:
        listed = _OPTION.search(question)
        return question[: listed.start()] if listed else question

    def _read_named(self, text: str, question: str, *, cut: bool) -> Prediction:
        """The letter of the option that the reply gives by its text."""
        by_text = find_options(fold_question(question))
        named = _texts(tuple(by_text.values())) if by_text else None
        if named is None:
            return None
        text = self.relevant(clip(text), fold_question(question))
        if self.asserted(text, question):
            # Between letters it is undecided, and so it is between their texts.
            return None
        found = named.read_cut(text) if cut else named.read(text)
        return next((letter for letter, option in by_text.items() if option == found), None)

    def read_bare(self, text: str, question: str) -> Prediction:
        if match := _BARE.fullmatch(text):
            return _allowed(match[1], question)
        if match := _WITH_TEXT.fullmatch(text):
            letter, known = (match[1] or match[2]).upper(), find_options(question)
            if not known:
                return (
                    letter if len(match[3]) <= _LONGEST_UNKNOWN and not self.mentions(match[3], "") else None
                )
            return letter if _same(known.get(letter), match[3]) else None
        return None

    def mentions(self, text: str, question: str) -> list[Mention]:
        found = []
        letters = list(_LETTER.finditer(text))
        if len(letters) > _MOST_LETTERS:
            letters = letters[: _MOST_LETTERS // 4] + letters[-_MOST_LETTERS * 3 // 4 :]
        for match in letters:
            start, letter = match.start(), _allowed(match[0], question)
            if letter is not None and (place := _mentioned(text, start)) is not None:
                found.append(Mention(*place, letter))
        return found

    def read_stated(self, passage: str, question: str) -> Prediction:
        if match := _STATED.match(passage):
            if _ANOTHER.match(passage, match.end()):
                return None
            if classify_standing(passage, match.end() - 1, match.end()) in self.dropped:
                return super().read_stated(passage, question)
            return _allowed(match[1] or match[2], question)
        return super().read_stated(passage, question)

    def normal(self, target: str | float, question: str = "") -> Answer:
        """The letter. A target that is none of the options' letters or texts is kept as it is (a faulty item of a
        benchmark can still be met by giving it word for word). Raises `ValueError` where no options are listed."""
        given = str(target).strip()
        text = fold(given)
        by_text = find_options(fold_question(question))
        if match := _BARE.fullmatch(text):
            return match[1].upper()
        if match := _WITH_TEXT.fullmatch(text):
            return (match[1] or match[2]).upper()
        if letter := next((letter for letter, option in by_text.items() if _same(option, text)), None):
            return letter
        if by_text:
            return given
        raise ValueError(f'{quote(text)} is not a letter such as "A" or "(A)"')


def _mentioned(text: str, place: int) -> tuple[int, int] | None:
    """Where the mention of an option begins and ends whose letter stands at `place`; None where the letter is but a
    word ("A dog")."""
    before, after = text[max(0, place - _NEAR) : place], text[place + 1 : place + 1 + _NEAR]
    around = before[-1:] + after[:1]
    if around in ("()", "[]"):
        return place - 1, place + 2
    if around[-1:] == ")" and before[-1:] != "(":
        return place, place + 2
    line_begins = not before.rpartition("\n")[2].strip(" \t") and ("\n" in before or len(before) == place)
    if line_begins and _HEADS.match(after):
        return place, place + 1
    if not before.strip() and place:
        # The word may stand far before it.
        gap = place - len(text[:place].rstrip())
        before = text[max(0, place - gap - _NEAR) : place]
    spaced = before.endswith(" ")
    if spaced and (named := _NAMED.search(before)):
        return place - len(before) + named.start(), place + 1
    said = (
        spaced
        and (_IS.search(before) or _CONCLUDED.search(before))
        and text[place] != "I"
        and _ENDS.match(after)
    )
    if (
        said
        or _JUDGED.match(after)
        or _JUDGED_TOGETHER.match(after)
        or _UNSPACED_BEFORE.search(before)
        or _UNSPACED_AFTER.match(after)
    ):
        return place, place + 1
    return None


@lru_cache(maxsize=4096)
def find_options(question: str) -> dict[str, str]:
    """Letter to text of the options that `question` lists a line each; do not change the result."""
    found = {match[1] or match[2]: match[3].strip() for match in _OPTION.finditer(question)}
    return found if len(found) > 1 else {}


@lru_cache(maxsize=1024)
def _texts(texts: tuple[str, ...]) -> LabelReader | None:
    return LabelReader(texts) if len(set(texts)) == len(texts) else None


def _without_listing(text: str, by_text: dict[str, str]) -> str:
    """`text` without the question's options where it repeats several of them: listing them answers nothing."""
    repeated = [line for line in _OPTION.finditer(text) if _same(by_text.get(line[1] or line[2]), line[3])]
    if len({line[3] for line in repeated}) < 2:
        return text
    ends = [0, *(line.end() for line in repeated)]
    starts = [*(line.start() for line in repeated), len(text)]
    return "".join(text[end:start] for end, start in zip(ends, starts, strict=True))


def _allowed(letter: str, question: str) -> str | None:
    letter = letter.upper()
    known = find_options(question)
    return letter if not known or letter in known else None


def _same(option: str | None, text: str) -> bool:
    return option is not None and option.rstrip(" .").casefold() == text.rstrip(" .").casefold()
