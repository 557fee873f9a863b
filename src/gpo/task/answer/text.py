"""Free text: the whole reply. Knows no metric."""

from __future__ import annotations

import re

from gpo.task.answer.reader import Answer, Prediction

_LEAD_IN = re.compile(r"^(?:the\s+)?(?:final\s+)?answer\s*(?:is\s*:?|:)\s*", re.IGNORECASE)


class TextReader:
    """The reply without surrounding space and without a leading "Answer:"."""

    form = ""
    request = "Give only your final answer, without any explanation."
    continuation = "\nTherefore, the answer is"

    def read(self, text: str, question: str = "") -> Prediction:
        return _LEAD_IN.sub("", text.strip(), count=1).strip() or None

    def normal(self, target: str | float, question: str = "") -> Answer:
        text = f"{target:g}" if isinstance(target, float) and target.is_integer() else str(target)
        return text.strip()
