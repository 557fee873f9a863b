"""What weak optimizer models write in place of a prompt: refusals, questions back, announcements, questions of their
own, and the instructions that they were given.

Each is refused for free before a call is spent on it, unless the initial prompt is of that kind itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import takewhile
from string import ascii_uppercase

from gpo.optimizer.templates import TEXTS

NGRAM = 8
"""So many words in a row of the instructions are no chance."""
_WORD = re.compile(r"\w+")
# On the plain words of a text, where "can't" is "can t". A prompt may speak in the first person, so "I cannot" alone
# makes no refusal.
_REFUSAL = re.compile(
    r"(?:i a?m )?(?:(?:so|very|truly) )?(?:sorry (?:but|i|for|that|if|you)|i apologi[sz]e|my apologies)\b"
    r"|(?:unfortunately |as an ai (?:\w+ ){0,3})?i (?:can ?not|can t|won t|a?m unable to|a?m not able to)"
    r" (?:assist|comply|fulfill?|help (?:you|with)|provide|rewrite|improve|modify)\b"
)
# A weak model asks for what it has just been given, or to have it put in other words.
_ASKS_BACK = re.compile(
    r"(?:(?:can|could|would|will) you (?:please )?|please )"
    r"(?:(?:provide|share|give|show|tell|send|paste|specify)(?: me)?(?: with)? (?:the|your|an?) (?:\w+ ){0,2}prompt\b"
    r"|(?:rephrase|reword|restate|clarify) (?:the|your|this|that|it)\b)"
    r"|(?:i|you) can (?:rephrase|reword|restate) (?:the|your|this) question\b"
)
_ANNOUNCES = re.compile(
    r"(?:^|[.!\n])[^.!\n]{0,60}\b(?:here|following|modified|improved|new|revised|updated)\b[^.!\n]{0,60}\bprompt\b[^.!\n]{0,40}:$",
    re.IGNORECASE,
)
# "Which one? (A) a dog (B) a cat" at the end of a text, with no word on what is right.
_OPTION = re.compile(r"(?<!\w)\(?([A-Z])[).]\s{0,3}(?=\S)")
_MOST_OPTIONS = 600
_INSTRUCTS = re.compile(
    r"\b(?:reply|respond|answer|choose|select|give|write|pick|say|state|output|return|letters?|only)\b",
    re.IGNORECASE,
)


def find_fault(prompt: str, initial: str) -> str | None:
    """Why `prompt` is none, for the journal; None where it may be one. What `initial`, the prompt to begin with, is
    itself is no fault."""
    for applies, reason in _FAULTS:
        if applies(prompt) and not applies(initial):
            return reason
    allowed = ngrams(initial)
    if copied := next(
        (gram for gram in ngrams(prompt) if gram in _instructions() and gram not in allowed), None
    ):
        return f"repeats the instructions of the meta-prompt: {copied}"
    return None


def _refuses(text: str) -> bool:
    return _REFUSAL.match(plain(text[:200])) is not None


def _asks_back(text: str) -> bool:
    return _ASKS_BACK.match(plain(text[:200])) is not None


def _announces(text: str) -> bool:
    return _ANNOUNCES.search(text[-200:].rstrip()) is not None


def _poses_a_question(text: str) -> bool:
    _, asked, options = text.rpartition("?")
    if not asked or len(options) > _MOST_OPTIONS or not _OPTION.match(options.lstrip()) or "nswer" in options:
        return False
    found = list(_OPTION.finditer(options))
    run = list(takewhile(lambda pair: pair[0][1] == pair[1], zip(found, ascii_uppercase, strict=False)))
    if len(run) < 2:
        return False
    # Behind the last option the next sentence may say what is to be done.
    _, _, behind = re.sub(r"[.!;\n]", ".", options[run[-1][0].end() :]).partition(".")
    return not _INSTRUCTS.search(behind)


_FAULTS: tuple[tuple[Callable[[str], bool], str], ...] = (
    (_refuses, "is a refusal or an apology and not a prompt"),
    (_asks_back, "asks back and is no prompt"),
    (_announces, "announces a prompt and gives none"),
    (_poses_a_question, "poses a question of its own, with its options"),
)


@lru_cache(maxsize=1)
def _instructions() -> frozenset[str]:
    """The runs of words of the fixed sentences that an optimizer model is sent."""
    found: set[str] = set()
    for path in sorted(TEXTS.rglob("*.jinja")):
        # A placeholder ends a run, and so does a comment or a condition.
        for piece in re.split(r"\{[{%#].*?[}%#]\}", path.read_text(encoding="utf-8"), flags=re.DOTALL):
            found.update(ngrams(piece))
    return frozenset(found)


def ngrams(text: str, n: int = NGRAM) -> list[str]:
    """All runs of `n` plain words in `text`."""
    words = _WORD.findall(text.lower())
    return [" ".join(words[place : place + n]) for place in range(len(words) - n + 1)]


def plain(text: str) -> str:
    """The words of `text` alone, in small letters."""
    return " ".join(_WORD.findall(text.lower()))
