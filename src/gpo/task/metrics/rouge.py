"""ROUGE-L of stemmed words: the F-measure of their longest common subsequence."""

from __future__ import annotations

import re
from typing import Final

from gpo.task.metrics.porter import stem

LONGEST_WORD: Final = 200
"""Letters; what is longer is no word, and stays as it is."""

_WORD = re.compile(r"[a-z0-9]+")


def rouge_l(prediction: str, reference: str) -> float:
    """ROUGE-L F-measure in 0..1 (Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", section 3.1),
    with the tokens of Google's `rouge-score` package and its `use_stemmer`: runs of a-z and 0-9 of the lower-cased
    text, stemmed. So is the ROUGE-L of Super-NaturalInstructions (Wang et al. 2022), which the paper follows."""
    from rapidfuzz.distance import LCSseq

    found, expected = tokens(prediction), tokens(reference)
    if not found or not expected:
        return 0.0
    common = LCSseq.similarity(found, expected)
    precision, recall = common / len(found), common / len(expected)
    return 2 * precision * recall / (precision + recall) if common else 0.0


def tokens(text: str) -> list[str]:
    """The words that ROUGE-L compares."""
    return [word if len(word) > LONGEST_WORD else stem(word) for word in _WORD.findall(text.lower())]
