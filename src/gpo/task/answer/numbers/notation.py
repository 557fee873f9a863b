"""Numbers as they are written elsewhere: 1,00,000, 1.234,50, €1.000, 3,5 km, 1'250, $50k, 1.5万, 3.0\\times10^{5}, 1½.

Each is written anew in the one way that `numeral` reads. Where it cannot be told what is meant ("3,5" in an English
sentence, "12 or 14", "3 to 5 days"), it becomes `UNREADABLE`.
"""

from __future__ import annotations

import re
from functools import cached_property

from gpo.task.answer.numbers.scales import SCALE_WORD, UNREADABLE, write_out_scales

_MOST_READ = 4_000
_CURRENCY = r"(?:€|R\$|Rp\.?|kr\.?|₫|đ|zł|₺|₽|EUR|[Ee]uros?|CHF)"
_FOREIGN = re.compile(
    rf"""(?<![\w.,/^])(?P<money>(?:(?<=€)|(?<=R\$)|(?<=Rp)|(?<=€[ ])|(?<=R\$[ ])|(?<=Rp[ ])|(?<=EUR[ ])))?
    (?:(?P<grouped>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?(?!\d|,\d))
    |(?P<indian>\d{{1,2}}(?:,\d{{2}})+,\d{{3}}(?:\.\d+)?(?!\d|[.,]\d))
    |(?P<european>\d{{1,3}}(?:\.\d{{3}})+,(?:\d+(?!\d|[.,]\d)|[-–—]+)|\d{{1,3}}(?:\.\d{{3}}){{2,}}(?!\d|[.,]\d))
    |(?P<spaced>\d{{1,3}}(?:[ \u00a0\u2009\u202f]\d{{3}})+,\d+(?!\d|[.,]\d))
    |(?P<apostrophe>\d{{1,3}}(?:['’]\d{{3}})+(?:[.,]\d+)?(?![\w'’]))
    |(?P<underscore>\d{{1,3}}(?:_\d{{3}})+(?:\.\d+)?(?!\w))
    |(?P<point>\d{{1,3}}\.\d{{3}}(?!\w|[.,]\d))
    |(?P<comma>\d+,\d+(?![\w]|[.,]\d))
    |(?P<chain>\d+(?:,\d+){{2,}}|\d+(?:\.\d+){{2,}}))
    (?P<after>[ ]?(?:{_CURRENCY}(?!\w)|%|(?:[kcm]?m|k?g|l|h|Liter|litres?|litros?|mètres?|Meter|metros?)(?!\w)))?""",
    re.VERBOSE,
)
_POINTS = re.compile(r"(?<![\w.,])\d+\.\d{1,2}(?![\w.,]\d|\d)|\d,\d{3}\.\d")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMMA_LANGUAGES = _words(
    "antwort ergebnis beträgt ergibt kostet insgesamt lautet und ist sind es wir sie für mit von nicht "
    "werden stück réponse résultat est sont donc une pour dans nous habitants coûte des respuesta resultado "
    "cuesta los las por para con del hay risposta risultato sono della il una resposta são uma custa "
    "antwoord het een zijn odpowiedź jest svaret är och cevap jawaban adalah vastaus der das le el il ein "
    "eine einen"
)
_STRONG = _words(
    "antwort ergebnis beträgt ergibt kostet insgesamt lautet réponse résultat coûte respuesta resultado "
    "cuesta risposta risultato resposta antwoord odpowiedź svaret cevap jawaban vastaus"
)
_ENGLISH = _words("the is are and so each of answer total we she he has have")
_LETTERS = re.compile(r"[^\W\d_]+")
_CYRILLIC = re.compile("[а-яё]{3,}")
_DIGIT = re.compile(r"\d")

_VULGAR = {
    "½": "1/2",
    "⅓": "1/3",
    "⅔": "2/3",
    "¼": "1/4",
    "¾": "3/4",
    "⅕": "1/5",
    "⅖": "2/5",
    "⅗": "3/5",
    "⅘": "4/5",
    "⅙": "1/6",
    "⅚": "5/6",
    "⅐": "1/7",
    "⅛": "1/8",
    "⅜": "3/8",
    "⅝": "5/8",
    "⅞": "7/8",
    "⅑": "1/9",
    "⅒": "1/10",
}
_VULGAR_SIGN = re.compile(
    rf"(?<!\d)(?<!\d[ ])(?P<alone>[{''.join(_VULGAR)}])|(?<=\d)[ ]?(?P<mixed>[{''.join(_VULGAR)}])"
)
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_RAISED_TEN = re.compile(r"([×·*x][ ]?10)([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3})")
_LATEX = (
    ("\\", re.compile(r"\\(?:times|cdot)(?![A-Za-z])"), "×"),
    ("\\", re.compile(r"\\([%$€£])"), r"\1"),
    ("\\circ", re.compile(r"\^\s{0,3}\{?\s{0,3}\\circ\s{0,3}\}?"), "°"),
    ("frac", re.compile(r"\\[dt]?frac(\d)(\d)(?!\d)"), r"\\frac{\1}{\2}"),
    ("x10", re.compile(r"(?<=\d)x(?=10(?:\^|[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]))"), "×"),
    ("{,}", re.compile(r"(?<=\d)\{,\}(?=\d)"), ","),
    ("\u2044", re.compile("\u2044"), "/"),
    ("Rs", re.compile(r"\bRs\.?(?=\s?\d)"), "₹"),
)
"""Each with a sign that stands wherever it matches."""
_MINUS = re.compile(r"((?:^|[=:(\n]|\b(?:is|are|be))[ ]{0,3})(?:[–—]|minus[ ])(?=[$€£]?\d)", re.IGNORECASE)

_NEGATIVE = re.compile(r"\bnegative[ ](?=[$€£]?\d)")
_UNDECIDED = re.compile(
    r"""(?<![\w.,/=^])(?P<from>(?<=from[ ]))?[$€£]?\d[\d,.]{0,20}(?:[ ]?%|[kKMB]\b)?
    (?P<gap>[ ](?:or|oder|ou|或|hoặc)[ ]|[ ]to[ ]|[ ]?[–—][ ]?|[ ]?[~〜～][ ]?|-|[ ]?±[ ]?|[ ]?\\pm[ ]?)
    (?:either[ ]|maybe[ ]|even[ ])?[$€£]?\d[\d,.]{0,20}(?<![.,])[kKMB]?(?![\d/:^])(?:[-–]\d{1,4})*
    |\bbetween[ ][$€£]?\d[\d,.]{0,20}[ ]and[ ][$€£]?\d[\d,.]{0,20}(?<![.,])(?!\d)""",
    re.VERBOSE | re.IGNORECASE,
)
# Dates, two values of one unknown, and amounts in two units: each is no one number.
_SEVERAL = re.compile(
    r"""(?<![\w./-])(?:\d{1,2}/\d{1,2}/\d{2,4}|\d{4}([-/])\d{1,2}\1\d{1,2})(?![\w/-])
    |\b([a-z])[ ]?=[ ]?-?\d[\d.,]{0,20}[ ](?:or|and)[ ]\2[ ]?=[ ]?-?\d[\d.]{0,20}(?<![.])
    |(?<![\w.,])\d{1,9}[ ]
    (?:hours?|hrs?|weeks?|years?|days?|months?|minutes?|mins?|dollars?|euros?|pounds?|feet|foot|ft|miles?)
    (?:[ ]and|,)?[ ]\d{1,9}
    (?=[ ](?:minutes?|mins?|seconds?|secs?|hours?|hrs?|days?|months?|weeks?|cents?|pence|ounces?|oz|inch(?:es)?
    |yards?)\b)""",
    re.VERBOSE | re.IGNORECASE,
)


def rewrite_numbers(text: str, question: str = "") -> str:
    """`text` with its numbers as they are written in English and ASCII; `question` may tell the language."""
    if not _DIGIT.search(text) and text.isascii():
        return text
    for sign, pattern, replacement in _LATEX:
        if sign in text:
            text = pattern.sub(replacement, text)
    if "–" in text or "—" in text or "minus" in text or "negative" in text:
        text = _NEGATIVE.sub("-", _MINUS.sub(r"\1-", text))
    if not text.isascii():
        text = _RAISED_TEN.sub(lambda match: f"{match[1]}^{{{match[2].translate(_SUPERSCRIPT)}}}", text)
        text = _VULGAR_SIGN.sub(_vulgar, text)
    context = _Context(text, question)
    text = _FOREIGN.sub(context.in_english, text)
    text = _UNDECIDED.sub(lambda match: _undecided(match, text), text)
    text = _SEVERAL.sub(UNREADABLE, text)
    return write_out_scales(text)


class _Context:
    """What the text around a number tells of the way in which it is written; looked at where it is needed."""

    def __init__(self, text: str, question: str) -> None:
        self._text = text
        self._read = text if len(text) <= 2 * _MOST_READ else text[:_MOST_READ] + text[-_MOST_READ:]
        self._asked = question[:_MOST_READ]

    @cached_property
    def points(self) -> bool:
        """Whether a number has a decimal point."""
        return _POINTS.search(self._read) is not None

    @cached_property
    def elsewhere(self) -> bool:
        """Whether the language is one that writes 1.234,5 for 1,234.5."""
        words = set(_LETTERS.findall(f"{self._read} {self._asked}".lower()))
        english = len(words & _ENGLISH)
        if words & _STRONG or any(_CYRILLIC.fullmatch(word) for word in words):
            return english < 3
        return len(words & _COMMA_LANGUAGES) > 1 and english < 2

    @cached_property
    def alone(self) -> bool:
        """Whether the number is all of the text."""
        return len(self._text) < 30 and not re.search(r"[A-Za-z]{2}", self._text)

    def in_english(self, match: re.Match[str]) -> str:
        """The number of `match` as English writes it; `UNREADABLE` where it could be two."""
        after = match["after"] or ""
        number = match[0][: len(match[0]) - len(after)]
        return (self._number(match, number, after) or UNREADABLE) + after

    def _number(self, match: re.Match[str], number: str, after: str) -> str:
        if match["grouped"]:
            if number.count(",") > 1 or "." in number or not self.elsewhere:
                return number
            return number.replace(",", ".") if number.startswith("0,") else ""
        if match["indian"]:
            return number.replace(",", "")
        if match["european"]:
            return number.replace(".", "").replace(",", ".").rstrip(".-–—")
        if match["spaced"] or match["apostrophe"] or match["underscore"]:
            return re.sub(r"[\s'’_]", "", number).replace(",", ".")
        if match["point"]:
            euros = match["money"] is not None or re.fullmatch(rf"[ ]?{_CURRENCY}", after)
            if number.startswith("0") or not (euros or self.elsewhere):
                return number
            return "" if self.points else number.replace(".", "")
        if match["comma"]:
            return number.replace(",", ".") if self._decimal(match, number, after) else ""
        return ""

    def _decimal(self, match: re.Match[str], number: str, after: str) -> bool:
        if number.startswith("0,") or self.alone:
            return True
        around = (
            self._text[max(0, match.start() - 1) : match.start()] + self._text[match.end() : match.end() + 1]
        )
        if around in ("()", "[]", "{}"):
            return False
        scaled = SCALE_WORD.match(self._text, match.end()) is not None
        return bool(after) or match["money"] is not None or scaled or self.elsewhere


def _vulgar(match: re.Match[str]) -> str:
    return _VULGAR[match["alone"]] if match["alone"] else f" {_VULGAR[match['mixed']]}"


def _undecided(match: re.Match[str], text: str) -> str:
    gap = (match["gap"] or " and ").strip().lower()
    line_end = text.find("\n", match.end(), match.end() + 60)
    near = text[match.end() : line_end if line_end >= 0 else match.end() + 60]
    before = text[max(0, match.start() - 12) : match.start()]
    calculated = gap in ("-", "–", "—") and (
        "=" in near or re.search(r"[-+*/×·=(]\s?$", before) or re.match(r"\s?[)+*/×·]", near)
    )
    if calculated or (gap == "to" and match["from"] is not None):
        return match[0]
    return UNREADABLE
