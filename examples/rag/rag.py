"""Questions about a small town, answered from a folder of texts: one prompt makes a query, another one the answer."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SENTENCES = [
    sentence
    for path in sorted((Path(__file__).parent / "texts").glob("*.txt"))
    for sentence in path.read_text(encoding="utf-8").splitlines()
]
STOP = {
    "a",
    "an",
    "and",
    "are",
    "at",
    "be",
    "by",
    "do",
    "does",
    "for",
    "from",
    "how",
    "i",
    "in",
    "is",
    "it",
    "its",
    "me",
}
STOP |= {"my", "of", "on", "or", "the", "to", "was", "what", "when", "where", "which", "who", "whom", "with"}


def words(text: str) -> list[str]:
    """Lower-case words without a plural's s and without those that say nothing."""
    return [re.sub(r"s$", "", word) for word in re.findall(r"\w+", text.lower()) if word not in STOP]


INDEX = [Counter(words(sentence)) for sentence in SENTENCES]
RARITY = {word: math.log(len(INDEX) / sum(word in one for one in INDEX)) for one in INDEX for word in one}


def search(query: str, count: int = 4) -> list[str]:
    """The sentences that share the rarest words with `query`, best first."""
    wanted = set(words(query))
    scores = [sum(RARITY[word] for word in wanted & one.keys()) for one in INDEX]
    best = sorted(range(len(SENTENCES)), key=lambda number: (-scores[number], number))[:count]
    return [SENTENCES[number] for number in best if scores[number] > 0]


async def run(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
    """The answer to the question of `row`."""
    query = await model(f"{prompts['rewrite']}\n\nQuestion: {row['question']}")
    found = "\n".join(search(query)) or "(nothing was found)"
    answer: str = await model(f"{found}\n\nQuestion: {row['question']}\n\n{prompts['answer']}")
    return answer


def metric(output: str, row: Mapping[str, Any]) -> tuple[float, str]:
    """1 for the expected words and nothing else, and half of it where other words stand around them."""
    said, expected = (
        " ".join(re.findall(r"\w+", output.lower())),
        " ".join(re.findall(r"\w+", row["answer"].lower())),
    )
    if said == expected:
        return 1.0, ""
    if f" {expected} " in f" {said} ":
        return 0.5, f"{row['answer']!r} is right; everything else in the answer is too much"
    return 0.0, f"the answer is {row['answer']!r}"
