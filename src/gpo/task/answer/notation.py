"""Numbers as they are written elsewhere: 1,00,000, 1.234,50, €1.000, 3,5 km, 1'250, $50k, 1.5万, 3.0\\times10^{5}, 1½.

Each is written anew in the one way that `numeral` reads. Where it cannot be told what is meant ("3,5" in an English
sentence, "12 or 14", "3 to 5 days"), it becomes `UNREADABLE`. Knows no reply and no question.
"""

from __future__ import annotations

import re

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
_COMMAS = re.compile(r"(?<![\w.,])\d+,\d{1,2}(?![\w.,]\d|\d)|\d\.\d{3},\d|\d[ \u00a0\u2009\u202f]\d{3},\d")
_COMMA_LANGUAGES = re.compile(
    r"\b(?:antwort|ergebnis|beträgt|ergibt|kostet|insgesamt|lautet|und|ist|sind|es|wir|sie|für|mit|von|nicht|eine?n?|werden|stück|réponse|résultat|est|sont|donc|une|pour|dans|nous|habitants"
    r"|coûte|des|respuesta|resultado|cuesta|los|las|por|para|con|del|hay|risposta|risultato|sono|della|il|una|resposta|são|uma|custa"
    r"|antwoord|het|een|zijn|odpowiedź|jest|svaret|är|och|cevap|jawaban|adalah|vastaus|der|das|le|el|il)\b"
    r"|[а-яё]{2,}",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"\b(?:antwort|ergebnis|beträgt|ergibt|kostet|insgesamt|lautet|réponse|résultat|coûte|respuesta|resultado|cuesta"
    r"|risposta|risultato|resposta|antwoord|odpowiedź|svaret|cevap|jawaban|vastaus)\b|[а-яё]{3,}",
    re.IGNORECASE,
)
_ENGLISH = re.compile(r"\b(?:the|is|are|and|so|each|of|answer|total|we|she|he|has|have)\b", re.IGNORECASE)

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
    (re.compile(r"\\(?:times|cdot)(?![A-Za-z])"), "×"),
    (re.compile(r"\\([%$€£])"), r"\1"),
    (re.compile(r"\^\s{0,3}\{?\s{0,3}\\circ\s{0,3}\}?"), "°"),
    (re.compile(r"\\[dt]?frac(\d)(\d)(?!\d)"), r"\\frac{\1}{\2}"),
    (re.compile(r"(?<=\d)x(?=10(?:\^|[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]))"), "×"),
    (re.compile(r"(?<=\d)\{,\}(?=\d)"), ","),
    (re.compile("\u2044"), "/"),
    (re.compile(r"\b(?:Rs|INR)\.?(?=\s?\d)"), "₹"),
)
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
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    text = _MINUS.sub(r"\1-", text)
    text = _RAISED_TEN.sub(lambda match: f"{match[1]}^{{{match[2].translate(_SUPERSCRIPT)}}}", text)
    text = _VULGAR_SIGN.sub(_vulgar, text)
    text = _in_english(text, question)
    text = _UNDECIDED.sub(lambda match: _undecided(match, text), text)
    text = _SCALED.sub(lambda match: _scaled(match, text), text)
    if any(sign in text for sign in _MYRIADS):
        text = _MYRIAD.sub(
            lambda match: f"{_times(match['number'], *map(_MYRIADS.__getitem__, match['scale']))}\u0001", text
        )
        while _JOINED_MYRIADS.search(text):
            text = _JOINED_MYRIADS.sub(_sum, text)
        text = text.replace("\u0001", "")
    return text


def _in_english(text: str, question: str) -> str:
    read = text[:_MOST_READ] + text[-_MOST_READ:]
    asked = question[:_MOST_READ]
    points = _POINTS.search(read) is not None
    commas = _COMMAS.search(read) is not None
    elsewhere = _comma_language(f"{read} {asked}")
    alone = len(text) < 30 and not re.search(r"[A-Za-z]{2}", text)

    def english(match: re.Match[str]) -> str:
        return _plain(match, text, elsewhere=elsewhere, points=points, commas=commas, alone=alone)

    return _FOREIGN.sub(english, text)


def _comma_language(text: str) -> bool:
    """Whether `text` is in a language that writes 1.234,5 for 1,234.5."""
    english = len({word.lower() for word in _ENGLISH.findall(text)})
    if _STRONG.search(text):
        return english < 3
    return len({word.lower() for word in _COMMA_LANGUAGES.findall(text)}) > 1 and english < 2


def _plain(
    match: re.Match[str], text: str, *, elsewhere: bool, points: bool, commas: bool, alone: bool
) -> str:
    after = match["after"] or ""
    number = match[0][: len(match[0]) - len(after)]
    if match["grouped"]:
        if elsewhere and number.count(",") == 1 and "." not in number:
            return (number.replace(",", ".") if number.startswith("0,") else UNREADABLE) + after
        return match[0]
    if match["indian"]:
        return number.replace(",", "") + after
    if match["european"]:
        return number.replace(".", "").replace(",", ".") + after
    if match["spaced"]:
        return re.sub(r"\s", "", number).replace(",", ".") + after
    if match["apostrophe"] or match["underscore"]:
        return re.sub(r"['’_]", "", number).replace(",", ".") + after
    if match["point"]:
        euros = match["money"] is not None or re.fullmatch(rf"[ ]?{_CURRENCY}", after)
        if number.startswith("0") or not (euros or elsewhere):
            return match[0]
        return (UNREADABLE if points else number.replace(".", "")) + after
    if match["comma"]:
        around = text[max(0, match.start() - 1) : match.start()] + text[match.end() : match.end() + 1]
        decimal = elsewhere or after or alone or number.startswith("0,") or match["money"] is not None
        if around in ("()", "[]", "{}") and not alone:
            decimal = ""
        return (number.replace(",", ".") if decimal else UNREADABLE) + after
    return UNREADABLE + after


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


def _sum(match: re.Match[str]) -> str:
    large, small = match[1], match[2]
    joined = len(small) < len(large) and large.endswith("0" * len(small))
    return f"{int(large) + int(small)}\u0001" if joined else f"{large} {small}"
