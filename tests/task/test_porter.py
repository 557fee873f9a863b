"""Porter's stemmer beside the one that `rouge-score` brings, over made-up words and examples of the paper."""

from __future__ import annotations

import random

import pytest
from rouge_score.tokenizers import DefaultTokenizer

from gpo.task.metrics.porter import stem

ORACLE = DefaultTokenizer(use_stemmer=True)
SUFFIXES = """
    s es ies sses ss eed ied ed ing y ll e ly lly ology logi bli alli eli entli ousli fulli ational tional enci anci
    izer ization ation ator alism iveness fulness ousness aliti iviti biliti icate ative alize iciti ical ful ness al
    ance ence er ic able ible ant ement ment ent sion tion ion ou ism ate iti ous ive ize at bl iz
"""
ENDINGS = SUFFIXES.split()


def made_up(count: int) -> set[str]:
    """Words of a few letters, with none to three endings."""
    rng = random.Random(0)
    words = set()
    for _ in range(count):
        root = "".join(rng.choices("aeiouybcdlstzwx5", k=rng.randint(1, 6)))
        words.add(root + "".join(rng.choices(ENDINGS, k=rng.randint(0, 3))))
    return words


def test_every_made_up_word_has_the_stem_of_the_reference_implementation() -> None:
    words = made_up(40_000)
    assert len(words) > 30_000
    assert {word for word in words if [stem(word)] != ORACLE.tokenize(word)} == set()


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        # Porter 1980, the examples of the steps.
        ("caresses", "caress"),
        ("ponies", "poni"),
        ("feed", "feed"),
        ("agreed", "agre"),
        ("plastered", "plaster"),
        ("sing", "sing"),
        ("hopping", "hop"),
        ("falling", "fall"),
        ("filing", "file"),
        ("vietnamization", "vietnam"),
        ("triplicate", "triplic"),
        ("adoption", "adopt"),
        ("cease", "ceas"),
        ("controll", "control"),
        # Where NLTK departs from it.
        ("skies", "sky"),
        ("dies", "die"),
        ("played", "play"),
        ("technology", "technolog"),
        # Under four letters nothing is stemmed.
        ("was", "was"),
    ],
)
def test_known_words(word: str, expected: str) -> None:
    assert stem(word) == expected
