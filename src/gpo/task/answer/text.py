"""Free text: the reply, without what a model says and draws around it."""

from __future__ import annotations

import re

from gpo.task.answer.markers import TAG, find_boxes, strip_commands
from gpo.task.answer.passages import find_json_answer, is_json_object
from gpo.task.answer.plain import compose_characters
from gpo.task.answer.reader import Answer, Prediction

_NOUN = (
    r"(?:(?:the\s+|my\s+)?(?:(?:final|correct)\s+)?answer|(?:die\s+)?antwort|(?:la\s+)?réponse|(?:la\s+)?respuesta"
    r"|(?:a\s+)?resposta|(?:la\s+)?risposta|ответ|उत्तर|答案|答え|回答|正解|정답)"
)
_LEAD_IN = re.compile(
    rf"^[*_#\s]{{0,9}}{_NOUN}[*_]{{0,3}}\s*(?:(?:is|ist|lautet|est|es|é|è|是|为|は)\s*:?|[:：])(?:[*_]{{1,3}}(?=\s|$))?\s*",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"^[ \t#*_]{0,9}(?:the\s)?final\sanswer[*_ \t]{0,9}(?::[*_ \t]{0,9}|$)\s{0,99}",
    re.IGNORECASE | re.MULTILINE,
)
_ANNOUNCED = re.compile(r':[ \t*]*\n\s*(?:"([^"\n]+)(?:"|$)|“([^”\n]+)(?:”|$))[ \t]*(?:\*+[ \t]*)?(?=\n|$)')
_SAID = re.compile(
    r"""[^\n]{0,300}\b(?:translation|version|summary|sentence|paraphrase|rewording|answer)\b[^\n]{0,300}
        \b(?:is|be|as|reads|becomes):?[ \t]+(?:"([^"\n]+)"|“([^”\n]+)”)[.!]?""",
    re.IGNORECASE | re.VERBOSE,
)
_LINE_MARK = re.compile(r"^(?:#{1,6}|>|[-*•])[ \t]+")
_FENCE = re.compile(r"```[\w+-]{0,30}[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)
_PAIRS = (
    *(
        ("**", "**"),
        ("__", "__"),
        ("*", "*"),
        ("_", "_"),
        ("`", "`"),
        ('"', '"'),
        ("“", "”"),
        ("„", "“"),
        ("„", "”"),
    ),
    *(
        ("‘", "’"),
        ("'", "'"),
        ("«", "»"),
        ("»", "«"),
        ("「", "」"),
        ("『", "』"),
        ("[[", "]]"),
        ("$", "$"),
        ("\\(", "\\)"),
        ("<b>", "</b>"),
        ("<strong>", "</strong>"),
        ("<p>", "</p>"),
    ),
)
_QUOTES = "\"“„‘'«»「『"
_LAYERS = 4
_AI = r"an?\s+(?:(?:large\s+)?(?:AI\s+)?language[ ]model|AI|artificial[ ]intelligence|chatbot)\b"
# Only where the model speaks of itself: "known as a chatbot" is said of something else.
_NO_ANSWER = re.compile(
    rf"""\bI(?:['’]m|[ ]am)\s+(?:just\s+|only\s+)?{_AI}
    | (?:^|[.!?\n])[ \t\n"“*]{{0,9}}as\s+{_AI}(?:\s+(?:language\s+)?(?:model|assistant))?\s*,
    | \bas\s+{_AI}(?:\s+(?:language\s+)?(?:model|assistant))?(?:\s*,)?\s+I\b
    | \bnot\s+sure\s+what\s+you\s+mean\b""",
    re.IGNORECASE | re.VERBOSE,
)
_LONGEST = 24_000
"""Characters: a longer reply is a text of its own, in which no announcement is looked for."""


class TextReader:
    """The reply without surrounding space, without a leading "Answer:", and without the markup around all of it: bold,
    quotes, a code fence, <answer> tags, a box, JSON with the key "answer". Markup within a text stays.

    Where a line begins with "Final answer:", it is what follows. Where a line that ends in a colon announces a text in
    quotes, it is the last such text; where the reply is one line such as 'A shorter version is "…"', it is the quoted
    text. A reply in which a model speaks of itself ("I am an AI", "As an AI, …") or asks what was meant is none.
    """

    form = ""
    request = "Give only your final answer, without any explanation."
    continuation = "\nTherefore, the answer is"

    def read(self, text: str, question: str = "") -> Prediction:
        plain = text.strip()
        plain = compose_characters(plain) if len(plain) <= _LONGEST else plain
        if _NO_ANSWER.search(plain, 0, _LONGEST):
            return None
        if len(plain) > _LONGEST:
            return plain
        if (value := _enclosed(plain)) is not None:
            return _unwrapped(value) or None
        if found := list(_ANNOUNCED.finditer(plain)):
            return (found[-1][1] or found[-1][2]).strip() or None
        if said := _SAID.fullmatch(plain):
            return (said[1] or said[2]).strip() or None
        if finals := list(_FINAL.finditer(plain)):
            plain = plain[finals[-1].end() :]
        return _unwrapped(plain) or None

    def normal(self, target: str | float, question: str = "") -> Answer:
        text = f"{target:g}" if isinstance(target, float) and target.is_integer() else str(target)
        return compose_characters(text.strip())


def _enclosed(text: str) -> str | None:
    """The answer that stands between tags, in a box or in JSON; None where none does."""
    if tags := list(TAG.finditer(text)):
        return tags[-1][1].strip()
    if "box" in text and (boxed := find_boxes(strip_commands(text))):
        return boxed[0]
    return find_json_answer(text) if is_json_object(text) else None


def _unwrapped(text: str) -> str:
    """`text` without the lead-in and the markup that stand around all of it."""
    text = text.strip()
    for _ in range(_LAYERS):
        before = text
        if fence := _FENCE.fullmatch(text):
            text = fence[1].strip()
        text = _without_pair(strip_commands(text) if text.startswith(("\\", "$")) else text)
        text = _LEAD_IN.sub("", text, count=1).strip()
        if "\n" not in text:
            text = _LINE_MARK.sub("", text)
        if text == before:
            break
    return text


def _without_pair(text: str) -> str:
    """`text` without the pair of signs that encloses it, also before a full stop: "**Paris**." is Paris."""
    body = text[:-1] if text.endswith(".") and len(text) > 2 else text
    for opening, closing in _PAIRS:
        if not body.startswith(opening) or not body.endswith(closing) or len(body) <= len(opening + closing):
            continue
        inner = body[len(opening) : -len(closing)]
        spaced = opening not in _QUOTES and inner != inner.strip()
        if opening not in inner and closing not in inner and not spaced:
            return inner.strip()
    return text
