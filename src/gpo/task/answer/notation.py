"""Numbers as they are written elsewhere: 1,00,000, 1.234,50, €1.000, 3,5 km, 1'250, $50k, 1.5万, 3.0\\times10^{5}, 1½.

Each is written anew in the one way that `numeral` reads. Where it cannot be told what is meant ("3,5" in an English
sentence, "12 or 14", "3 to 5 days"), it becomes `UNREADABLE`. Knows no reply and no question.
"""

from __future__ import annotations

import re
from functools import cached_property

UNREADABLE = "0/0"
_MOST_READ = 4_000
_CURRENCY = r"(?:€|R\$|Rp\.?|kr\.?|₫|đ|zł|₺|₽|EUR|Euros?|CHF)"
_FOREIGN = re.compile(
    rf"""(?<![\w.,/^])(?P<money>(?:(?<=€)|(?<=R\$)|(?<=Rp)|(?<=€[ ])|(?<=R\$[ ])|(?<=Rp[ ])|(?<=EUR[ ])))?
    (?:(?P<grouped>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?(?!\d|,\d))
    |(?P<indian>\d{{1,2}}(?:,\d{{2}})+,\d{{3}}(?:\.\d+)?(?!\d|[.,]\d))
    |(?P<european>\d{{1,3}}(?:\.\d{{3}})+,\d+(?!\d|[.,]\d)|\d{{1,3}}(?:\.\d{{3}}){{2,}}(?!\d|[.,]\d))
    |(?P<spaced>\d{{1,3}}(?:[ \u00a0\u2009\u202f]\d{{3}})+,\d+(?!\d|[.,]\d))
    |(?P<apostrophe>\d{{1,3}}(?:['’]\d{{3}})+(?:[.,]\d+)?(?![\w'’]))
    |(?P<underscore>\d{{1,3}}(?:_\d{{3}})+(?:\.\d+)?(?!\w))
    |(?P<point>\d{{1,3}}\.\d{{3}}(?!\w|[.,]\d))
    |(?P<comma>\d+,\d+(?![\w]|[.,]\d))
    |(?P<chain>\d+(?:,\d+){{2,}}|\d+(?:\.\d+){{2,}}))
    (?P<after>[ ]?(?:{_CURRENCY}(?!\w)|%|(?:kg|km|cm|mm|m|g|l|h|Liter|litres?|litros?|mètres?|Meter|metros?)(?!\w)))?""",
    re.VERBOSE,
)
_POINTS = re.compile(r"(?<![\w.,])\d+\.\d{1,2}(?![\w.,]\d|\d)|\d,\d{3}\.\d")
_COMMA_LANGUAGES = frozenset(
    "antwort ergebnis beträgt ergibt kostet insgesamt lautet und ist sind es wir sie für mit von nicht "
    "werden stück réponse résultat est sont donc une pour dans nous habitants coûte des respuesta resultado "
    "cuesta los las por para con del hay risposta risultato sono della il una resposta são uma custa "
    "antwoord het een zijn odpowiedź jest svaret är och cevap jawaban adalah vastaus der das le el il ein "
    "eine einen".split()
)
_STRONG = frozenset(
    "antwort ergebnis beträgt ergibt kostet insgesamt lautet réponse résultat coûte respuesta resultado "
    "cuesta risposta risultato resposta antwoord odpowiedź svaret cevap jawaban vastaus".split()
)
_ENGLISH = frozenset("the is are and so each of answer total we she he has have".split())
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

_SCALES = {
    "mil millones": 1e9,
    "mil": 1e3,
    "millón": 1e6,
    "millones": 1e6,
    "milhão": 1e6,
    "milhões": 1e6,
    "bilhões": 1e9,
    "mille": 1e3,
    "millions": 1e6,
    "milliard": 1e9,
    "milliards": 1e9,
    "tausend": 1e3,
    "tsd": 1e3,
    "mio": 1e6,
    "million": 1e6,
    "millionen": 1e6,
    "milliarde": 1e9,
    "milliarden": 1e9,
    "mrd": 1e9,
    "billionen": 1e12,
    "billones": 1e12,
    "billón": 1e12,
    "milioni": 1e6,
    "miliardi": 1e9,
    "тысяч": 1e3,
    "тысячи": 1e3,
    "млн": 1e6,
    "млрд": 1e9,
    "lakh": 1e5,
    "lakhs": 1e5,
    "lac": 1e5,
    "lacs": 1e5,
    "crore": 1e7,
    "crores": 1e7,
    "cr": 1e7,
    "लाख": 1e5,
    "करोड़": 1e7,
    "हज़ार": 1e3,
    "हजार": 1e3,
    "만": 1e4,
    "억": 1e8,
    "bn": 1e9,
    "mn": 1e6,
    "tn": 1e12,
    "thousands": 1e3,
    "billions": 1e9,
}
_NUMBER = r"(?<![\w.,])(?P<number>\d+(?:,\d{3})*(?:\.\d+)?)"
_SCALED = re.compile(
    rf"{_NUMBER}(?:[ ]?(?P<word>{'|'.join(sorted(map(re.escape, _SCALES), key=len, reverse=True))})(?!\w)"
    r"|(?P<suffix>k|K|M|B)(?![\w/]))",
    re.IGNORECASE,
)
_SUFFIXES = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "m": 1e6, "b": 1e9}
_MYRIADS = {"兆": 1e12, "億": 1e8, "亿": 1e8, "萬": 1e4, "万": 1e4, "千": 1e3, "百": 1e2}
_MYRIAD = re.compile(rf"{_NUMBER}[ ]?(?P<scale>[{''.join(_MYRIADS)}]{{1,2}})")
_JOINED_MYRIADS = re.compile(r"(?<![\w.])(\d{5,})\u0001[ ]?(\d+)\u0001?")
_UNDECIDED = re.compile(
    r"""(?<![\w.,/=^])(?P<from>(?<=from[ ]))?[$€£]?\d[\d,.]{0,20}(?:[ ]?%)?
    (?P<gap>[ ](?:or|oder|ou|或|hoặc)[ ]|[ ]to[ ]|[ ]?[–—][ ]?|[ ]?[~〜～][ ]?|-|[ ]?±[ ]?|[ ]?\\pm[ ]?)
    (?:either[ ]|maybe[ ]|even[ ])?[$€£]?\d[\d,.]{0,20}(?<![.,])(?![\d/:^])(?:[-–]\d{1,4})*
    |\bbetween[ ][$€£]?\d[\d,.]{0,20}[ ]and[ ][$€£]?\d[\d,.]{0,20}(?<![.,])(?!\d)""",
    re.VERBOSE | re.IGNORECASE,
)


def plain_numbers(text: str, question: str = "") -> str:
    """`text` with its numbers as they are written in English and ASCII; `question` may tell the language."""
    if not _DIGIT.search(text) and text.isascii():
        return text
    for sign, pattern, replacement in _LATEX:
        if sign in text:
            text = pattern.sub(replacement, text)
    if "–" in text or "—" in text or "minus" in text:
        text = _MINUS.sub(r"\1-", text)
    if not text.isascii():
        text = _RAISED_TEN.sub(lambda match: f"{match[1]}^{{{match[2].translate(_SUPERSCRIPT)}}}", text)
        text = _VULGAR_SIGN.sub(_vulgar, text)
    context = _Context(text, question)
    text = _FOREIGN.sub(context.in_english, text)
    text = _UNDECIDED.sub(lambda match: _undecided(match, text), text)
    text = _SCALED.sub(lambda match: _scaled(match, text), text)
    return text if text.isascii() else _without_myriads(text)


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
            return number.replace(".", "").replace(",", ".")
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
        return around not in ("()", "[]", "{}") and bool(
            after or match["money"] is not None or self.elsewhere
        )


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


def _scaled(match: re.Match[str], text: str) -> str:
    if match["word"]:
        # "ı" and "K" (the sign of kelvin) pass for "i" and "k", and are none of the words.
        scale = _SCALES.get(match["word"].lower())
        return match[0] if scale is None else _times(match["number"], scale)
    money = text[max(0, match.start() - 2) : match.start()].strip().endswith(("$", "€", "£", "¥", "₹"))
    suffix = match["suffix"]
    if suffix in "mb" and not money:
        return match[0]
    if suffix == "K" and not money and re.search(r"temperature|kelvin", text[-_MOST_READ:], re.IGNORECASE):
        return match[0]
    return _times(match["number"], _SUFFIXES[suffix]) if suffix in _SUFFIXES else match[0]


def _times(number: str, *factors: float) -> str:
    value = float(number.replace(",", ""))
    for factor in factors:
        value *= factor
    return f"{value:.10g}" if abs(value) < 1e10 else repr(round(value, 4)).removesuffix(".0")


def _without_myriads(text: str) -> str:
    if _MYRIADS.keys().isdisjoint(text):
        return text
    text = _MYRIAD.sub(_in_ones, text)
    while _JOINED_MYRIADS.search(text):
        text = _JOINED_MYRIADS.sub(_sum, text)
    return text.replace("\u0001", "")


def _in_ones(match: re.Match[str]) -> str:
    return _times(match["number"], *map(_MYRIADS.__getitem__, match["scale"])) + "\u0001"


def _sum(match: re.Match[str]) -> str:
    large, small = match[1], match[2]
    joined = len(small) < len(large) and large.endswith("0" * len(small))
    return f"{int(large) + int(small)}\u0001" if joined else f"{large} {small}"
