"""The numerical signal, the analogue of a gradient by regression: which words go with higher scores.

    w = (X'DX + λI)^-1 X'D (θ - m),   Var w = (X'DX + λI)^-1

Ridge regression of the prompts' posterior means on the words that they hold (a column a word, and one for
demonstrations), weighted by their precision. It ranks drafts before a call is spent; as an ablation, since a few dozen
prompts say little about as many words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpo.optimizer.plus.table import Entry

if TYPE_CHECKING:
    from gpo.evaluation.posterior import Array

RIDGE = 4.0
DEMONSTRATIONS = "<demonstrations>"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Direction:
    """A word, its weight in logits and the standard deviation of that."""

    word: str
    weight: float
    sd: float


@dataclass(frozen=True, slots=True)
class Signal:
    """The directions that were found, by word."""

    directions: dict[str, Direction]

    def predict(self, entry: Entry) -> float:
        """Logits above the mean prompt; words that nobody has tried add nothing."""
        return sum(found.weight for word in extract_features(entry) if (found := self.directions.get(word)))

    def strongest(self, count: int) -> list[Direction]:
        """Those that are surest not to be 0."""
        return sorted(self.directions.values(), key=lambda item: -abs(item.weight) / item.sd)[:count]


def extract_features(entry: Entry) -> set[str]:
    """Words of a prompt in lower case, and whether it has demonstrations."""
    found = set(_WORD.findall(entry.words.lower()))
    return found | {DEMONSTRATIONS} if entry.demonstrations else found


def find_signal(entries: Sequence[Entry], theta: Array, sd: Array) -> Signal:
    """The directions in `entries` with estimates `theta` ± `sd`; what all hold, or one alone, is no direction."""
    import numpy as np

    held = [extract_features(entry) for entry in entries]
    counts = {word: sum(word in one for one in held) for one in held for word in one}
    words = sorted(word for word, count in counts.items() if 1 < count < len(entries))
    if not words:
        return Signal({})
    weights = 1 / np.maximum(sd, 1e-3) ** 2
    mean = np.average(theta, weights=weights)
    x = np.array([[float(word in one) for word in words] for one in held])
    x = x - np.average(x, axis=0, weights=weights)
    covariance = np.linalg.inv((x * weights[:, None]).T @ x + RIDGE * np.eye(len(words)))
    found = covariance @ ((x * weights[:, None]).T @ (theta - mean))
    deviations = np.sqrt(np.diag(covariance))
    return Signal(
        {
            word: Direction(word, float(weight), float(deviation))
            for word, weight, deviation in zip(words, found, deviations, strict=True)
        }
    )
