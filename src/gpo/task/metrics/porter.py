"""Porter's stemmer as ROUGE applies it: "played" and "plays" are one word. Words are in lower case.

Porter 1980, "An algorithm for suffix stripping", with the departures of NLTK's default mode, which the `rouge-score`
package uses and the tests compare with. (The Porter of `snowballstemmer` stems 36 of WebNLG's 2,347 longer words
differently.) In the rules a measure is the number of vowel-consonant changes of a stem: 0 in "tree", 1 in "trees".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

SHORTEST: Final = 4
"""Letters of the shortest word that `rouge-score` stems."""

_IRREGULAR: Final[Mapping[str, str]] = {
    "skies": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "innings": "inning",
    "inning": "inning",
    "outings": "outing",
    "outing": "outing",
    "cannings": "canning",
    "canning": "canning",
    "news": "news",
    "howe": "howe",
    "proceed": "proceed",
    "exceed": "exceed",
    "succeed": "succeed",
}
# Of two suffixes that fit a word the longer one counts, and the other is not tried where its rule does not apply.
_DOUBLE_SUFFIXES: Final[Mapping[str, str]] = {
    "ational": "ate", "tional": "tion", "enci": "ence", "anci": "ance", "izer": "ize", "bli": "ble", "entli": "ent",
    "eli": "e", "ousli": "ous", "ization": "ize", "ation": "ate", "ator": "ate", "alism": "al", "iveness": "ive",
    "fulness": "ful", "ousness": "ous", "aliti": "al", "iviti": "ive", "biliti": "ble", "fulli": "ful", "alli": "al",
    "logi": "log",
}  # fmt: skip
_MIDDLE_SUFFIXES: Final[Mapping[str, str]] = {
    "icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ful": "", "ness": "",
}  # fmt: skip
_LAST_SUFFIXES: Final = (
    "ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ion", "ism", "ate", "iti", "ous", "ive", "ize",
    "al", "er", "ic", "ou",
)  # fmt: skip


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """The stem of a lower-case word; a word under `SHORTEST` letters is its own."""
    if len(word) < SHORTEST:
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    word = _without_past(_without_plural(word))
    if word.endswith("y") and len(word) > 2 and _shape(word)[-2] == "c":
        word = word[:-1] + "i"
    word = _single(word)
    if suffix := _suffix(word, _MIDDLE_SUFFIXES):
        word = _replaced(word, suffix, _MIDDLE_SUFFIXES[suffix])
    return _tidied(_without_last(word))


def _without_plural(word: str) -> str:
    """Step 1a."""
    if word.endswith("ies"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _without_past(word: str) -> str:
    """Step 1b: -eed, -ed and -ing, and what the stem then lacks or has twice."""
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return _replaced(word, "eed", "ee")
    suffix = _suffix(word, ("ed", "ing"))
    rest = word[: -len(suffix)] if suffix else ""
    shape = _shape(rest)
    if "v" not in shape:
        return word
    if rest.endswith(("at", "bl", "iz")):
        return rest + "e"
    if rest[-2:-1] == rest[-1] and shape[-1] == "c":
        return rest if rest[-1] in "lsz" else rest[:-1]
    return rest + "e" if _measure(rest) == 1 and _is_short(rest) else rest


def _single(word: str) -> str:
    """Step 2: of a double suffix the first one is kept."""
    suffix = _suffix(word, _DOUBLE_SUFFIXES)
    if suffix == "logi":  # its l counts as part of the stem: "geologi" has one
        return word[:-1] if _measure(word[:-3]) > 0 else word
    shorter = _replaced(word, suffix, _DOUBLE_SUFFIXES[suffix]) if suffix else word
    return _single(shorter) if suffix == "alli" and shorter != word else shorter


def _without_last(word: str) -> str:
    """Step 4: a single suffix goes where enough is left."""
    suffix = _suffix(word, _LAST_SUFFIXES)
    rest = word[: -len(suffix)] if suffix else word
    if not suffix or _measure(rest) < 2 or (suffix == "ion" and rest[-1] not in "st"):
        return word
    return rest


def _tidied(word: str) -> str:
    """Step 5: a last e, and one l of two."""
    if word.endswith("e"):
        rest = word[:-1]
        measure = _measure(rest)
        if measure > 1 or (measure == 1 and not _is_short(rest)):
            word = rest
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word


def _suffix(word: str, suffixes: Mapping[str, str] | tuple[str, ...]) -> str:
    """The longest of `suffixes` that `word` ends with, "" for none."""
    return max((suffix for suffix in suffixes if word.endswith(suffix)), key=len, default="")


def _replaced(word: str, suffix: str, new: str) -> str:
    rest = word[: -len(suffix)]
    return rest + new if _measure(rest) > 0 else word


def _measure(text: str) -> int:
    return _shape(text).count("vc")


def _is_short(text: str) -> bool:
    """Whether `text` ends in a short syllable: consonant, vowel and a consonant that is not w, x or y, or has nothing
    but vowel and consonant."""
    shape = _shape(text)
    return shape == "vc" or (shape.endswith("cvc") and text[-1] not in "wxy")


def _shape(text: str) -> str:
    """`text` as consonants (c) and vowels (v); y is a consonant at the beginning and after a vowel."""
    shape: list[str] = []
    for letter in text:
        vowel = letter in "aeiou" or (letter == "y" and bool(shape) and shape[-1] == "c")
        shape.append("v" if vowel else "c")
    return "".join(shape)
