"""Where in a reply an answer may stand: what a model says beside it is told apart here."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache

_JSON_KEY = re.compile(
    r'"(?:(?:final|correct|my)?[_ ]?(?:answer|result)(?:[_ ](?:letter|choice|option|value))?|ans|answers|solution'
    r'|label|category|class|choice|option|selected[_ ](?:option|choice)|prediction|output|sentiment|答案)"'
    r"\s{0,99}:\s{0,99}",
    re.IGNORECASE,
)
# As Python writes it, or as JSON without quotes around the key.
_LOOSE_KEY = re.compile(
    r"""[{,]\s{0,99}['"]?(?:(?:final|correct)?[_ ]?answer|result|label|category|choice|option)['"]?\s{0,9}:\s{0,9}
    (?:'([^'\n]{1,200})'|"([^"\n]{1,200})"|([^\s'",{}\[\]]{1,200}))\s{0,99}[,}]""",
    re.IGNORECASE | re.VERBOSE,
)
_DECODER = json.JSONDecoder()
_CUE = re.compile(r"^[ \t]*A:(?=\s|$)[ \t]*", re.MULTILINE)
_BLOCK = re.compile(r"\n\s*\n")
_SENTENCE_END = re.compile(r"(?<=[.!?])(\s+)")
_QUESTION_END = re.compile(r"(?<=\?)|(?<=[.!\n])")
_MOST_QUESTIONS = 20
_LEAST_WORDS = 5
_AUXILIARY = re.compile(
    "is|are|was|were|am|be|do|does|did|can|could|will|would|shall|should|has|have|had", re.IGNORECASE
)
_DENIAL = re.compile("not|never", re.IGNORECASE)
_OPEN = frozenset(
    (
        "if",
        "whether",
        "suppose",
        "unless",
        "no",
        "nothing",
        "nobody",
        "none",
        "neither",
        "unlikely",
        "impossible",
    )
)
_CERTAIN = re.compile(r"\bno (?:doubt|question)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_CONTRACTIONS = (
    (re.compile(r"\b(?:can['’]t|cannot)\b", re.IGNORECASE), "can not"),
    (re.compile(r"\bwon['’]t\b", re.IGNORECASE), "will not"),
    (re.compile(r"n['’]t\b", re.IGNORECASE), " not"),
    (re.compile(r"(?<=\w)['’](?:re|s|m)\b", re.IGNORECASE), " is"),
    (re.compile(r"(?<=\w)['’](?:ve|ll|d)\b", re.IGNORECASE), " will"),
)


def find_json_answer(text: str) -> str | None:
    """The value of the last key such as "answer" or "label" of a JSON object within `text`; a list with spaces between
    its items. None where there is none, or it breaks off."""
    if ":" not in text or ('"' not in text and "{" not in text):
        return None
    for match in reversed(list(_JSON_KEY.finditer(text))[-20:]):
        try:
            value, _ = _DECODER.raw_decode(text, match.end())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and len(value) == 1:
            (value,) = value.values()
        if isinstance(value, list):
            return " ".join(str(item) for item in value)
        if isinstance(value, str | int | float):
            return str(value)
    if loose := list(_LOOSE_KEY.finditer(text))[-1:]:
        return loose[0][1] or loose[0][2] or loose[0][3]
    return None


def is_json_object(text: str) -> bool:
    """Whether `text` is a JSON object with something in it, in a code fence or not."""
    body = re.sub(r"^```\w*\n|\n?```$", "", text.strip())
    if not body.startswith("{"):
        return False
    try:
        return bool(json.loads(body))
    except (ValueError, RecursionError):
        return False


def strip_cue(text: str) -> str:
    """`text` without the "A:" that a model repeats from the layout "Q: … A:"."""
    return _CUE.sub("", text)


def find_repeated_block(text: str) -> str | None:
    """The first paragraph, where all that follows repeats it, whole or broken off; None elsewhere."""
    blocks = [block.strip() for block in _BLOCK.split(strip_cue(text)) if block.strip()]
    if len(blocks) < 2 or not all(blocks[0].startswith(block) for block in blocks[1:]):
        return None
    return blocks[0]


def strip_question(text: str, question: str) -> str:
    """`text` without the sentences that it takes word for word from `question`: to say them again answers nothing."""
    asked = " ".join(question.split())
    if not asked:
        return text
    lines = []
    for line in text.split("\n"):
        parts = _SENTENCE_END.split(line)
        lines.append("".join(part for part in parts if not _repeats(part, asked)))
    return "\n".join(lines)


def restates(text: str, question: str) -> bool | None:
    """Whether `text` says what `question` asks (True), or denies it (False): "Are you back?" meets "You are not back".
    None where it does neither or both."""
    statements = _statements(question)
    if not statements:
        return None
    lengths = {len(statement) for statement in statements}
    said = set()
    for sentence in re.split(r"[.!?\n;]", text):
        words = _words(_CERTAIN.sub("", sentence))
        denied = any(map(_DENIAL.fullmatch, words))
        content = [word for word in words if not _AUXILIARY.fullmatch(word) and not _DENIAL.fullmatch(word)]
        for length in lengths:
            if tuple(content[-length:]) in statements and not _OPEN.intersection(content[:-length]):
                said.add(not denied)
    return said.pop() if len(said) == 1 else None


@lru_cache(maxsize=1024)
def _statements(question: str) -> frozenset[tuple[str, ...]]:
    """What the last yes/no questions of `question` ask, as words without auxiliaries."""
    asked = [part for part in _QUESTION_END.split(question) if part.endswith("?")][-_MOST_QUESTIONS:]
    found = (_statement(part.rstrip("?")) for part in asked)
    return frozenset(tuple(words) for words in found if len(words) > 3)


def _repeats(part: str, asked: str) -> bool:
    said = " ".join(part.strip(" \t#*>-\"'`").split())
    return said.count(" ") >= _LEAST_WORDS - 1 and said in asked


def _statement(asked: str) -> Sequence[str]:
    """The words of a yes/no question without its auxiliaries; nothing where it is another question."""
    words = _words(asked)
    if not words or not _AUXILIARY.fullmatch(words[0]):
        return []
    return [word for word in words if not _AUXILIARY.fullmatch(word)]


def _words(text: str) -> list[str]:
    for contraction, full in _CONTRACTIONS:
        text = contraction.sub(full, text)
    return [word.lower() for word in _WORD.findall(text)]
