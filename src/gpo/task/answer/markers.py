"""What announces an answer: words in several languages, boxes, tags, bold text."""

from __future__ import annotations

import re
from collections.abc import Iterator

# What "answer" is said of may stand between it and its verb, but no clause of its own, and no denial: "the answer
# cannot be (A)" announces nothing. "To answer …" announces nothing either, but for "to answer the question: …".
_BRIDGE = r"""(?:(?!\b(?:whether|not|never|cannot|would|answer|that\s+there)\b|n['’]t\b
      |(?<!answer\ )(?<!option\ )(?<!choice\ )\bthat\b)[^.\n:=,]){0,80}?"""
_ENGLISH = rf"""(?<!provided\ )(?<!given\ )(?<!suggested\ )(?<!possible\ )(?<!\bto\ )\banswer\b
      (?!\s+(?:states|says|claims|suggests)\b)(?:,?\s+(?:then|thus|therefore|hence|however|finally)\b,?)?
      {_BRIDGE}(?:\b(?:is|are|was|be)\b\s*:?|[:=])
    | (?<=\bto\ )answer\s+(?:the|your|this)\s+question\s*:
    | ^[ \t\#]{{0,9}}(?:(?:the|my)[ ])?(?:final[ ])?answer[ \t]{{0,9}}(?:$|[-–—][ \t])
    | \#\#\#\#"""
_NOUNS = (
    "Antwort|Lösung|Ergebnis|Endergebnis|réponse|résultat|respuesta|resultado|solución|resposta|solução|risposta"
    "|risultato|antwoord|odpowiedź|odpověď|ответ|відповідь|svaret|vastaus|cevap|jawaban(?:nya)?|đáp\\s+án"
)
_VERBS = (
    "ist|lautet|wäre|beträgt|est|es|sería|è|é|is|jest|je|это|є|är|er|on|là|adalah|donc|also|daher|demnach"
    "|est\\s+donc|es\\s+entonces"
)
_OTHER_NOUNS = rf"""\b(?:{_NOUNS})\b
      (?:(?!\b(?:nicht|kein\w*|pas|no|non|não|niet|nie|не|inte|bukan)\b)[^.\n:=,]){{0,40}}?(?:\b(?:{_VERBS})\b\s*:?|[:=])"""
_OTHER = r"""(?:उत्तर|जवाब)(?:\s+है)?\s*[:=]?(?=\s)
    | (?:الجواب|الإجابة|الاجابة)(?:\s+(?:الصحيحة|الصحيح|النهائية|النهائي))?\s*(?:هو|هي|:)
    | (?:答案|答え|回答|解答|正解)\s*(?:应该|應該|應|应)?\s*(?:[是为為选選はが]|[:=])\s*:?
    | 答\s?: | (?:故|应|應|因此|所以|我|应该|最终)(?:选择|選擇|选|選)
    | ^[ \t]*(?:选择|選擇|选|選)(?=\s)
    | (?:정답|답)\s?(?:[은는이]|:)"""
_FLAGS = re.IGNORECASE | re.VERBOSE | re.MULTILINE
_LABEL = r"""\b(?:correct|right|best|final)\s+(?:option|choice|label|category|class)\s*(?:\bis\b\s*:?|[:=])
    | \b(?:label|category|class|kategorie|categor[ií]a|catégorie|étiquette|etiqueta|sentiment)"?
        \s*(?:\b(?:is|ist|est|es)\b\s*:?|[:=])
    | (?:类别|類別|标签|標籤|情感|分类|カテゴリー?|分類)\s*[:=是为為は]"""
_CHOOSING = r"""\b(?:I|we)(?:['’]d|['’]ll|['’]m|\s+(?:would|will|shall|should|must|am|can\s+only))?\s+
        (?:go(?:ing)?\s+(?:with|for)|choose|pick|select|opt\s+for)\b
    | \bmy\s+(?:final\s+)?(?:choice|pick|vote)\s*(?:\bis\b\s*:?|:)"""


class Marker:
    """What announces an answer: patterns, each of which is tried only where one of its words occurs."""

    def __init__(self, *groups: tuple[str, str]) -> None:
        self._groups = [(words.split("|"), re.compile(pattern, _FLAGS)) for words, pattern in groups]

    def find(self, text: str) -> list[tuple[int, int]]:
        """Where markers begin and end in `text`, in their order."""
        lower = text.lower()
        found = [
            match.span()
            for words, pattern in self._groups
            if any(word in lower for word in words)
            for match in pattern.finditer(text)
        ]
        return sorted(found)


_ANSWER_GROUPS = (
    ("answer|####", _ENGLISH),
    (_NOUNS.replace("(?:nya)?", "").replace("\\s+", " ").lower(), _OTHER_NOUNS),
    ("उत्तर|जवाब|الجواب|الإجابة|الاجابة|答|解|选|選|답", _OTHER),
)
ANSWER_MARKER = Marker(*_ANSWER_GROUPS)
MARKER = Marker(
    *_ANSWER_GROUPS,
    (
        "option|choice|label|categor|class|kategor|catégor|étiquette|etiqueta|sentiment|类别|類別|标签|標籤|情感|分类|カテゴ|分類",
        _LABEL,
    ),
    ("go with|going|go for|choose|pick|select|opt|my ", _CHOOSING),
)
TAG = re.compile(
    r"<(?:final[_ -]?)?(?:answer|ans|label|result|choice|option|category|class|output|response|solution|prediction)>"
    r"\s{0,99}([^<]{1,1000})",
    re.IGNORECASE,
)
_BOXED = re.compile(
    r"\\f?box(?:ed)?\s{0,3}\{([^{}]{0,300}(?:\{[^{}]{0,300}\}[^{}]{0,300}){0,4})\}|\\boxed\s{1,3}(\w{1,20})"
)
_LATEX_TEXT = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|sc|normal)?|math(?:rm|bf|it|sf|tt|bb|cal|normal)|mbox|bm|boldsymbol|emph|underline)"
    r"\s{0,3}\{([^{}]{0,300})\}"
)
_HTML = re.compile(r"</?(?:b|i|u|em|strong|p|span|code|mark)>", re.IGNORECASE)
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*|__([^_\n]{1,200})__|\[\[([^\[\]\n]{1,200})\]\]")
_SOUGHT = re.compile(
    r"\bto\s+(?:find|get|give|reach|determine|calculate|compute|work\s+out)\s+(?:the|this|an|our|my)\s+"
    r"(?:\w+\s+)?$",
    re.IGNORECASE,
)
# Not so where it raises a number to its power ("10**6").
_EMPHASIS = re.compile(r"\*\*(?!(?<=\d\*\*)\d|(?<=\d\ \*\*)\ \d)")
_MOST_MARKERS = 20
_LONGEST_PASSAGE = 500
WRAPPING = " \t\r\n\"'“”‘’„‚«»`*_"


def find_boxes(text: str) -> list[str]:
    """What stands in boxes and between tags such as <answer>, the last one first; tags before boxes."""
    tags = [match[1].strip() for match in TAG.finditer(text)] if "<" in text else []
    boxed = [(match[1] or match[2] or "").strip() for match in _BOXED.finditer(text)] if "box" in text else []
    return [*tags[: -_MOST_MARKERS - 1 : -1], *boxed[: -_MOST_MARKERS - 1 : -1]]


def find_marked_passages(text: str, marker: Marker = MARKER) -> Iterator[str]:
    """What stands behind explicit markers, the last one first (boxes before words): the rest of the line, or the
    next line with content."""
    yield from find_boxes(text)
    plain = strip_markup(text)
    # A reply that says "the answer is" without end has settled on nothing long before.
    for start, end in marker.find(plain)[: -_MOST_MARKERS - 1 : -1]:
        if _SOUGHT.search(plain[max(0, start - 40) : start]):
            continue
        rest = plain[end : end + _LONGEST_PASSAGE].strip(WRAPPING + ":")
        if rest:
            yield rest.split("\n", 1)[0].strip()


def find_emphasis(text: str) -> list[tuple[int, str]]:
    """Where bold texts and [[double brackets]] stand, and what they hold."""
    if "**" not in text and "__" not in text and "[[" not in text:
        return []
    return [(match.start(), match[1] or match[2] or match[3]) for match in _BOLD.finditer(text)]


def strip_markup(text: str) -> str:
    """`text` without the asterisks and backticks of emphasis, which stand between a marker and its answer."""
    if "**" in text:
        text = _EMPHASIS.sub("", text)
    return text.replace("__", " ").replace("`", "")


def strip_commands(text: str) -> str:
    r"""`text` with the words of \text{…}, \mathbf{…}, <b>…</b> and the like in place of the commands, also nested."""
    if "<" in text:
        text = _HTML.sub("", text)
    for _ in range(3 if "\\" in text else 0):
        text, count = _LATEX_TEXT.subn(r"\1", text)
        if not count:
            break
    return text
