"""Where a reply corrects or explains itself: "Wait, …", "Explanation: …"."""

from __future__ import annotations

import re
from typing import NamedTuple

_CORRECTS = re.compile(
    r"""(?:^|(?<=[.!?;…,:\n]))\s{0,9}(?:(?:hmm+|oh|but|no|ah|okay|ok|oops|um|uh)\b[,.]?\s{1,9}){0,2}
    \b(?:wait|actually|hold\s+on|hang\s+on|on\s+second\s+thoughts?|scratch\s+that|correction|oops|my\s+mistake
      |that['’]s\s+(?:not\s+right|wrong)|i\s+(?:made\s+a\s+mistake|was\s+wrong|misread)
      |let\s+me\s+(?:re-?(?:consider|check|think|do|read|evaluate|examine)|double[- ]check|correct)
      |moment(?:\s+mal)?|warte|nein,\s+doch|attends|attendez|espera|un\s+momento)\b
    |(?:等等|等一下|不对|不對|待って|いや、)""",
    re.IGNORECASE | re.VERBOSE,
)
_CUES = (
    *(
        "wait",
        "actually",
        "hold on",
        "hang on",
        "second thought",
        "scratch",
        "correction",
        "oops",
        "mistake",
        "wrong",
    ),
    *(
        "not right",
        "misread",
        "let me",
        "moment",
        "warte",
        "nein",
        "attend",
        "espera",
        "等",
        "不对",
        "不對",
        "待って",
        "いや",
    ),
)
"""One of these stands wherever `_CORRECTS` matches."""
_CONFIRMS = re.compile(
    r"\b(?:that['’]?s\s+(?:right|correct)|(?:is|are|was|seems)\s+(?:right|correct|confirmed|consistent)|confirm(?:s|ed)|"
    r"checks?\s+out|(?:it|that|which|this)\s+(?:matches|holds)|no\s+mistakes?|yes,\s+(?:right|correct))\b",
    re.IGNORECASE,
)
_CONCLUDES = re.compile(
    r"\b(?:so|therefore|thus|hence|then|must\s+be|it\s+is|it['’]s|this\s+is|should\s+be|that\s+means|i['’]d\s+say)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n")
_EXPLAINS = re.compile(
    r"[\s*#_]{0,9}(?:(?:brief|short|detailed|my|here\s+is\s+(?:the|my))\s+)?(?:explanation|explication|explicación|reason(?:ing|s)?|rationale|"
    r"justification|note|notes|why|because|since|details|analysis|working|calculation|check|begründung|erklärung|"
    r"raison|razón|解释|解釋|说明|理由|原因|解説|説明)(?![^\W\u3000-\uffff])",
    re.IGNORECASE,
)


class Corrected(NamedTuple):
    """A reply that corrects itself, divided at the last place where it does."""

    before: str
    after: str
    confirms: bool
    """Whether what is behind ends in "that is right" and the like."""
    conclusion: str
    """The last sentence behind that begins or goes on with "so", "it is" and the like; "" where none does."""


def find_correction(text: str) -> Corrected | None:
    """`text` divided where it last corrects itself; None where it does not."""
    lower = text.lower()
    if not any(cue in lower for cue in _CUES):
        return None
    places = list(_CORRECTS.finditer(text))
    if not places or not text[places[-1].end() :].strip(" .,!:"):
        return None
    before, after = text[: places[-1].start()], text[places[-1].end() :].lstrip(" ,.:!—–-")
    sentences = [sentence for sentence in _SENTENCE_END.split(after) if sentence.strip()]
    last = sentences[-1] if sentences else ""
    confirms = any(map(_CONFIRMS.search, sentences[-2:]))
    concluding = [sentence for sentence in sentences if _CONCLUDES.search(sentence)]
    conclusion = concluding[-1] if concluding else (last if len(sentences) == 1 else "")
    return Corrected(before, after, confirms, conclusion)


def explains(text: str) -> bool:
    """Whether the paragraph or line behind the first line announces an explanation of it."""
    _, _, rest = text.strip().partition("\n")
    return _EXPLAINS.match(rest) is not None
