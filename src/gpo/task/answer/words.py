"""Word lists (sorted words, closing brackets): words in order, whatever separates them."""

from __future__ import annotations

import re
from itertools import pairwise

from gpo.task.answer.corrections import explains
from gpo.task.answer.markers import find_boxes, strip_commands, strip_markup
from gpo.task.answer.passages import find_json_answer, is_json_object, strip_cue
from gpo.task.answer.plain import clip, compose_characters
from gpo.task.answer.reader import Answer, Prediction

_ITEM = re.compile(r"^\s*(?:\d+\s*[.):]|[-*•])\s+")
_NUMBERING = re.compile(r"(?<!\S)(\d{1,3})[.):](?=\s)")
_LEAD_IN = re.compile(r"^[^\n:]{0,200}:(?=\s)")
_BLOCK = re.compile(r"\n\s*\n")
_LIST_MARKER = re.compile(
    r"\b(?:sorted|alphabetical|final|resulting|answer)\b[^\n:]{0,80}?(?::|\bis\b:?|\bare\b:?)(?=\s)|####",
    re.IGNORECASE,
)
_MATH = re.compile(r"\$([^$\n]{1,300})\$")
_SEPARATORS = re.compile(r"[,;\s]+|->|→|(?<=\s)/(?=\s)")
_PROSE = re.compile(
    r"\b(?:an?|the|is|are|was|of|to|for|from|in|on|as|this|that|these|it|i|we|you|and|with)\b", re.IGNORECASE
)
_WRAPPING = "\"'“”‘’`*_"


class WordsReader:
    """Words in order, in lower case, as a tuple.

    Read from behind the last marker ("Sorted: …", "the answer is …"); else from the paragraph that a line
    ending in a colon announces; else from the last paragraph. Commas, numbering, bullets and quotes do not
    count.
    """

    form = "a list of words, separated by spaces"
    request = "Give only your final answer: the words, separated by spaces."
    continuation = "\nTherefore, the answer (the words, separated by spaces) is"

    def read(self, text: str, question: str = "") -> Prediction:
        text = _MATH.sub(r"\1", strip_commands(compose_characters(clip(text))))
        plain = strip_cue(strip_markup(text)).strip()
        if (value := find_json_answer(text)) is not None:
            return _words(value) or None
        if is_json_object(text):
            return None
        part = _marked_part(plain) or _last_part(plain)
        return None if _is_prose(part) else _words(part) or None

    def read_cut(self, text: str, question: str = "") -> Prediction:
        """The list behind a marker in a reply that was cut off, and no other."""
        text = _MATH.sub(r"\1", strip_commands(compose_characters(clip(text))))
        value = find_json_answer(text)
        part = value if value is not None else _marked_part(strip_cue(strip_markup(text)).strip())
        return None if _is_prose(part) else _words(part) or None

    def normal(self, target: str | float, question: str = "") -> Answer:
        words = _words(compose_characters(str(target)))
        if not words:
            raise ValueError("the expected list of words is empty")
        return words


def _marked_part(text: str) -> str:
    if boxed := find_boxes(text):
        return boxed[0]
    if found := list(_LIST_MARKER.finditer(text)):
        rest = text[found[-1].end() :].strip()
        return _BLOCK.split(rest, maxsplit=1)[0]
    return ""


def _last_part(text: str) -> str:
    first, *others = _BLOCK.split(text)
    if others and explains(f"{first}\n{others[0]}"):
        others = []
    blocks = [first, *others]
    announced = [after for before, after in pairwise(blocks) if before.rstrip().endswith(":")]
    block = announced[-1] if announced else blocks[-1]
    return _LEAD_IN.sub("", block, count=1) or block


def _is_prose(text: str) -> bool:
    """Whether `text` is a sentence: two function words or more, and nothing between its words but spaces."""
    separated = re.search(r"[,;\n]|->|→|\s/\s", text)
    return not separated and len({word.lower() for word in _PROSE.findall(text)}) > 1


def _words(text: str) -> tuple[str, ...]:
    words = []
    for line in _unnumbered(text).splitlines():
        joined = re.search(r",\s*and\b", line) is not None
        for place, part in enumerate(_SEPARATORS.split(_ITEM.sub("", line))):
            word = part.strip(_WRAPPING)
            if word and not (word == "and" and place and joined):
                words.append(word.lower())
    # A full stop ends the sentence, not the word; a list of brackets has none.
    if words and len(words[-1]) > 1:
        words[-1] = words[-1].rstrip(".!" + _WRAPPING)
    return tuple(word for word in words if word)


def _unnumbered(text: str) -> str:
    """`text` without the numbers of a list that counts from 1 upward, on one line or several."""
    numbers = [int(number) for number in _NUMBERING.findall(text)]
    return (
        _NUMBERING.sub(" ", text)
        if len(numbers) > 1 and numbers == list(range(1, len(numbers) + 1))
        else text
    )
