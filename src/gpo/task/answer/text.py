"""Free text: the reply, without what a model says around it. Knows no metric."""

from __future__ import annotations

import re

from gpo.task.answer.reader import Answer, Prediction

_LEAD_IN = re.compile(r"^(?:the\s+)?(?:final\s+)?answer\s*(?:is\s*:?|:)\s*", re.IGNORECASE)
_ANNOUNCED = re.compile(r':[ \t*]*\n\s*(?:"([^"\n]+)(?:"|$)|“([^”\n]+)(?:”|$))[ \t]*(?:\*+[ \t]*)?(?=\n|$)')
_SAID = re.compile(
    r"""[^\n]{0,300}\b(?:translation|version|summary|sentence|paraphrase|rewording|answer)\b[^\n]{0,300}
        \b(?:is|be|as|reads|becomes):?[ \t]+(?:"([^"\n]+)"|“([^”\n]+)”)[.!]?""",
    re.IGNORECASE | re.VERBOSE,
)
_AI = r"an?\s+(?:(?:large\s+)?(?:AI\s+)?language[ ]model|AI|artificial[ ]intelligence|chatbot)\b"
# Only where the model speaks of itself: "known as a chatbot" is said of something else.
_NO_ANSWER = re.compile(
    rf"""\bI(?:['’]m|[ ]am)\s+(?:just\s+|only\s+)?{_AI}
    | (?:^|[.!?\n])[ \t\n"“*]{{0,9}}as\s+{_AI}(?:\s+(?:language\s+)?(?:model|assistant))?\s*,
    | \bas\s+{_AI}(?:\s+(?:language\s+)?(?:model|assistant))?(?:\s*,)?\s+I\b
    | \bnot\s+sure\s+what\s+you\s+mean\b""",
    re.IGNORECASE | re.VERBOSE,
)


class TextReader:
    """The reply without surrounding space and without a leading "Answer:".

    Where a line that ends in a colon announces a text in quotes, it is the last such text; where the reply is one line
    such as 'A shorter version is "…"', it is the quoted text. A reply in which a model speaks of itself ("I am an
    AI", "As an AI, …") or asks what was meant is none.
    """

    form = ""
    request = "Give only your final answer, without any explanation."
    continuation = "\nTherefore, the answer is"

    def read(self, text: str, question: str = "") -> Prediction:
        plain = text.strip()
        if _NO_ANSWER.search(plain):
            return None
        if found := list(_ANNOUNCED.finditer(plain)):
            return (found[-1][1] or found[-1][2]).strip() or None
        if said := _SAID.fullmatch(plain):
            return (said[1] or said[2]).strip() or None
        return _LEAD_IN.sub("", plain, count=1).strip() or None

    def normal(self, target: str | float, question: str = "") -> Answer:
        text = f"{target:g}" if isinstance(target, float) and target.is_integer() else str(target)
        return text.strip()
