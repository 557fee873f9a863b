"""Whether an answer that a reply mentions is one that it gives, or is denied, ruled out, or only supposed.

Looks at the words around a mention, in the same sentence.
"""

from __future__ import annotations

import re
from typing import Literal

Standing = Literal["meant", "supposed", "ruled_out", "denied"]

_BEFORE, _AFTER = 90, 90
_ARTICLE = (
    r"(?:(?:an?|the|options?|choices?|answers?|label|category|die|der|das|ein\w*|la|el|le|un[ae]?)\s+){0,2}"
)
_DENIED = re.compile(
    rf"""(?:\b(?:not|cannot|never|neither|nor|nicht|kein\w*|pas|ni|niet|не)|n['’]t|\b(?:no\s+es|non\s+è|não\s+é))\s+
    (?:be\s+)?(?:equal\s+(?:to\s+)?)?(?:\w+ly\s+)?{_ARTICLE}\W?$
    |(?:不是|并非|並非|不选|不選|而非|不能选|排除|不属于|不屬於|不)(?:选项|選項)?\s?\W?$""",
    re.IGNORECASE | re.VERBOSE,
)
_DENIED_AFTER = re.compile(
    r"""["')\]]?\s?\w{0,4}?(?:では(?:ありません|なく|ない)|じゃない|でない)|\s?(?:이|가)?\s?아(?:니|닙)
    |\s?也?(?:都)?不是\s?(?=[,.、]|$)""",
    re.VERBOSE,
)
_RULED_OUT = re.compile(
    rf"""\b(?:rather\s+than|instead\s+of|unlike|as\s+opposed\s+to|other\s+than|rul(?:e|es|ed|ing)\s+out
      |eliminat(?:e|es|ed|ing)|exclud(?:e|es|ed|ing)|reject(?:s|ed|ing)?|discard(?:s|ed|ing)?
      |mistak(?:e|en)\s+(?:\w+\s+)?for|confused?\s+(?:\w+\s+)?with|(?:an)?statt|plutôt\s+que|en\s+vez\s+de)\s+
    {_ARTICLE}\W{{0,3}}$
    |\b(?:although|though|while|whereas|even\s+if|despite|obwohl|während|bien\s+que|tandis\s+que|aunque)\b[^,.]{{0,50}}$""",
    re.IGNORECASE | re.VERBOSE,
)
_JUDGED = r"""(?:\w+ly\s+|also\s+|just\s+|therefore\s+|thus\s+|then\s+){0,2}
  (?:wrong|incorrect|false|mistaken|impossible|insufficient|tempting|ruled\s+out|eliminated|excluded|out\b(?!\s+of)
  |an?\s+(?:\w+\s+)?(?:mistake|error|distractor|trap|misconception|red\s+herring)
  |not\s*$
  |not\s+(?:\w+ly\s+)?(?:correct|right|true|enough|sufficient|possible|plausible|valid|it\b
     |(?:the|an?)\s+(?:\w+\s+)?(?:answer|option|choice|label|category|topic|case|one)\b)
  |too\s+(?:few|many|small|large|low|high|little|much|short|long|big|weak|strong)\b)"""
_JUDGED_AFTER = re.compile(
    rf"""[)\]"'”’*\s]{{0,3}}[:–—-]\s{{0,3}}(?:(?:wrong|incorrect|false|no|eliminated|excluded)\b|✗|✘|❌)
    |[)\]"'”’*\s:–—-]{{0,4}}
    (?:(?!(?:because|since|as|that|if|when|it|this|and|but|so|or|is|are|was|were)\b)[^\W\d_][\w'’-]{{0,20}}[ ]){{0,5}}?
    (?:(?:is|are|was|were|seems?|looks?|would\s+be)\s+{_JUDGED}
    |(?:isn|aren|wasn|weren)['’]t\s+(?:\w+ly\s+)?(?:correct|right|true|enough|sufficient|possible|plausible|it\b
       |(?:the|an?)\s+(?:\w+\s+)?(?:answer|option|choice|one)\b)
    |(?:cannot|can['’]t|could\s+not|couldn['’]t)\s+be\s+(?:it|right|correct|true|the\s+\w+)\b
    |(?:do(?:es)?|would)(?:\s+not|n['’]t)\s+(?:fit|work|apply|match|suffice|hold|make\s+sense)\b
    |would\s+(?:only\s+)?(?:be|have\s+been|fit|apply|work)\b[^.!?\n]{{0,60}}\b(?:if|when)\b
    |ist\s+(?:falsch|nicht\s+richtig)|est\s+(?:faux|fausse|incorrecte?)|es\s+(?:incorrect[oa]|fals[oa])
    |[^\s.,]{{0,8}}(?:错误|錯誤|不正确|不正確|不对|不對|是错|不符合|間違い|誤り))""",
    re.IGNORECASE | re.VERBOSE,
)
_WOULD_BE = re.compile(rf"\bwould\s+(?:only\s+)?(?:be|have\s+been)\s+{_ARTICLE}\W{{0,3}}$", re.IGNORECASE)
_IF = re.compile(r"\b(?:if|unless|only\s+when|provided)\b", re.IGNORECASE)
# No clause of its own, and no "but", may stand between what only supposes and the mention.
_ON = r"(?:(?!\b(?:but|however|yet|aber|mais|pero)\b)[^.!?,;])"
_SUPPOSED = re.compile(
    rf"""\b(?:might|may|could)\s+(?:\w+\s+)?(?:be|look|seem|appear|sound|suggest|think|say|mean|point)\b{_ON}{{0,25}}$
    |\b(?:people|one|you|many|some|somebody|someone)\s+(?:\w+\s+){{0,2}}(?:would|might|may|could)\s+
       (?:\w+\s+)?(?:say|think|answer|guess|expect|choose|pick|argue|call|see)\b{_ON}{{0,25}}$
    |\bI\s+(?:would|might|could)\s+have\s+(?:said|thought|chosen|picked|guessed)\b{_ON}{{0,25}}$
    |\b(?:many|most|some)\s+(?:people\s+)?(?:think|believe|say|assume|guess)\b{_ON}{{0,30}}$
    |\bat\s+first\b(?:\s\w+)?,?{_ON}{{0,40}}$
    |\b(?:initially|originally|first)\s+(?:(?:I|we|one)\s+)?(?:thought|assumed|said|considered)\b{_ON}{{0,30}}$
    |\bif\s+(?:it|this|that|the\s+\w+)\s+(?:were|was|is|had\s+been)\s+{_ARTICLE}\W?$
    |\bfor\s+(?:it|this|that|the\s+\w+)\s+to\s+be\s+{_ARTICLE}\W?$""",
    re.IGNORECASE | re.VERBOSE,
)
_SUPPOSED_AFTER = re.compile(
    r"[^.!?]{0,30}\bat\s+first\b|[)\]\"'”’*]{0,3}\s(?:\w+\s){0,3}(?:seems|looks|appears|sounds)\s+(?:\w+\s+)?"
    r"(?:right|correct|plausible|tempting|good|close|likely)\b",
    re.IGNORECASE,
)
_SENTENCE_BREAK = re.compile(r"[.!?。;](?=\s|$)|\n")
_JOINED = re.compile(
    r"\W{0,4}(?:and|or|nor|und|oder|noch|et|ou|y|ni|o|和|或)\W{1,4}(?:la\s|el\s|le\s|die\s|das\s)?\W{0,3}",
    re.IGNORECASE,
)
_ASKS_FOR_THE_WRONG = re.compile(
    r"\b(?:wrong|incorrect|false|untrue|not|n['’]t|except|mistake|error|impossible|invalid|fallacy)\b|不|falsch|nicht",
    re.IGNORECASE,
)


_WORD = re.compile(r"\w+")
# One of these stands around every mention that is not simply meant (in ASCII).
_TRIGGER_WORDS = """
not cannot never neither nor nicht kein keine keinen pas ni niet no t rather instead unlike opposed
other rule rules ruled ruling eliminate eliminates eliminated eliminating exclude excludes excluded
excluding reject rejects rejected rejecting discard discards discarded discarding mistake mistaken
confuse confused statt anstatt plut en although though while whereas even despite obwohl bien tandis
aunque is are was were seem seems look looks can could do does would fit fits fails ist est es might
may at many most some initially originally first if for appears sounds wrong incorrect false i have
"""
_TRIGGERS = frozenset(_TRIGGER_WORDS.split())


def classify_standing(text: str, start: int, end: int) -> Standing:
    """What the words around `text[start:end]` say of it: "meant", "denied" ("not A"), "ruled_out" ("A is wrong",
    "A would be right if …") or only "supposed" ("it may look like A")."""
    before = text[max(0, start - _BEFORE) : start]
    if breaks := list(_SENTENCE_BREAK.finditer(before)):
        before = before[breaks[-1].end() :]
    after = text[end : end + _AFTER]
    around = f"{before} {after}"
    if around.isascii() and _TRIGGERS.isdisjoint(_WORD.findall(around.lower())):
        return "meant"
    if stop := _SENTENCE_BREAK.search(after):
        after = after[: stop.start()]
    if _DENIED.search(before) or _DENIED_AFTER.match(after):
        return "denied"
    hypothetical = _WOULD_BE.search(before) and (_IF.search(after) or _IF.search(before))
    if hypothetical or _RULED_OUT.search(before) or _JUDGED_AFTER.match(after):
        return "ruled_out"
    if _SUPPOSED.search(before) or _SUPPOSED_AFTER.match(after):
        return "supposed"
    return "meant"


def joins(gap: str) -> bool:
    """Whether the text between two mentions only joins them ("A and B"): what is said of one is said of both."""
    return len(gap) < 16 and _JOINED.fullmatch(gap) is not None


def asks_for_the_wrong(question: str) -> bool:
    """Whether `question` may ask which answer is wrong: then "(A) is wrong" gives (A)."""
    return _ASKS_FOR_THE_WRONG.search(question) is not None
