"""A simulated landscape: a task model whose accuracy depends on hidden words, and an optimizer that recombines.

It checks that the machinery climbs where there is a slope, and says nothing about real models. Everything is a pure
function of the request and its seed. Knows the meta-prompt only as text with lines "Prompt: …" and "Score: …".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from math import exp
from random import Random
from typing import Any

from tests.support.server import all_text, last_text

VOCABULARY = [
    "amber",
    "anchor",
    "apple",
    "arrow",
    "autumn",
    "badge",
    "basket",
    "beacon",
    "birch",
    "bottle",
    "bridge",
    "bronze",
    "candle",
    "canyon",
    "carpet",
    "castle",
    "cedar",
    "cherry",
    "cinder",
    "cobalt",
    "copper",
    "coral",
    "cotton",
    "crystal",
    "dagger",
    "desert",
    "dragon",
    "ember",
    "engine",
    "falcon",
    "feather",
    "fern",
    "fiddle",
    "flint",
    "forest",
    "garnet",
    "ginger",
    "glacier",
    "granite",
    "harbor",
    "hazel",
    "helmet",
    "hollow",
    "indigo",
    "island",
    "ivory",
    "jasper",
    "juniper",
    "kettle",
    "lantern",
    "lemon",
    "lilac",
    "magnet",
    "maple",
    "marble",
    "meadow",
    "mirror",
    "mountain",
    "needle",
    "nickel",
    "oak",
    "olive",
    "onyx",
    "opal",
    "orchid",
    "otter",
    "paper",
    "pebble",
    "pepper",
    "pine",
    "planet",
    "plum",
    "pocket",
    "prairie",
    "quartz",
    "quiver",
    "raven",
    "ribbon",
    "river",
    "saddle",
    "saffron",
    "salmon",
    "sapphire",
    "silver",
    "spruce",
    "stone",
    "sulfur",
    "summer",
    "thistle",
    "thunder",
    "timber",
    "topaz",
    "tulip",
    "valley",
    "velvet",
    "violet",
    "walnut",
    "willow",
    "window",
    "winter",
]
SHARPNESS = 5.0
"""Points of score (of 100) between two words for one to be drawn e times as often as the other."""
_ITEM = re.compile(r"\bItem (\d+):")
_SHOWN = re.compile(r"^\W*(?:[\w ]{0,20}\b)?prompt\b[^:\n]{0,30}:[ \t]*(\S.*)$", re.IGNORECASE | re.MULTILINE)
_SCORE = re.compile(r"^\W*(?:[\w ]{0,20}\b)?score\b[^:\n]{0,30}:\s*([\d.]+)", re.IGNORECASE | re.MULTILINE)
_LIMIT = re.compile(r"(\d+)\s+words?\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Landscape:
    """`good` hidden words raise the accuracy from `floor` to `ceiling` where all are in the prompt, each of the
    `harmful` ones costs as much as a good one gains. Words of the prompt over `free_words` cost 0.01 each. `noise`
    (0..1) is how far a prompt shifts the difficulty of single examples. `reckless` (0..1) is the share of the
    optimizer's new words that it draws from the vocabulary in place of the prompts that it is shown."""

    good: int = 8
    harmful: int = 6
    floor: float = 0.1
    ceiling: float = 0.95
    noise: float = 0.2
    free_words: int = 40
    reckless: float = 0.5
    edits: int = 8
    demonstration: float = 0.0
    """What each worked example before the question, up to four, adds to the accuracy."""
    seed: int = 0

    @cached_property
    def weights(self) -> Mapping[str, float]:
        """Weight of each word that has one. The first good word weighs most: they fall linearly to half of it."""
        words = Random(f"words:{self.seed}").sample(VOCABULARY, self.good + self.harmful)
        shares = [2 - i / max(1, self.good - 1) for i in range(self.good)]
        unit = (self.ceiling - self.floor) / sum(shares)
        good = {word: unit * share for word, share in zip(words, shares, strict=False)}
        return good | dict.fromkeys(words[self.good :], -unit)

    def accuracy(self, prompt: str) -> float:
        """The expected accuracy of `prompt`, 0..1."""
        words = _words(prompt)
        value = self.floor + sum(self.weights.get(word, 0.0) for word in set(words))
        return min(1.0, max(0.0, value - 0.01 * max(0, len(words) - self.free_words)))

    def rows(self, count: int, first: int = 0) -> list[dict[str, str]]:
        """`count` labelled rows with the columns `input` and `target` ("left" or "right")."""
        return [
            {"input": f"Item {i}: does it go left or right?", "target": _target(i)}
            for i in range(first, first + count)
        ]

    def right(self, item: int, prompt: str, demonstrations: int = 0) -> bool:
        """Whether the task model answers the row `item` rightly under `prompt` and so many worked examples."""
        threshold = _unit(f"item:{self.seed}:{item}")
        shift = (_unit(f"noise:{self.seed}:{item}:{' '.join(_words(prompt))}") - 0.5) * self.noise
        return threshold + shift < self.accuracy(prompt) + self.demonstration * min(4, demonstrations)

    def answer(self, body: dict[str, Any]) -> str:
        """Both roles: whatever holds a numbered item outside of a meta-prompt is a question of the task."""
        text = all_text(body)
        if "<START>" in text or "<Prompt>" in text:
            return self.optimize(last_text(body), seed=int(body.get("seed") or 0))
        found = _ITEM.search(text)
        if found is None or "Name the problems" in text:
            return "The prompt misses words that help."
        # Everything but the question counts as prompt; the last question is asked, what came before are worked
        # examples, and a turn without one is a second round.
        questions = [
            str(turn["content"]) for turn in body.get("messages", ()) if _ITEM.search(str(turn["content"]))
        ]
        said = [str(turn["content"]) for turn in body.get("messages", ()) if turn["role"] == "system"]
        asked = "\n\n".join([*said, questions[-1]]) if questions else text
        item = int(_ITEM.findall(asked)[0])
        prompt = asked.replace(f"Item {item}: does it go left or right?", " ")
        return _target(item) if self.right(item, prompt, len(questions) - 1) else _other(item)

    def optimize(self, meta_prompt: str, *, seed: int) -> str:
        """A new prompt between the tags: a shown one with words changed, the current one where no scores are shown.
        Scores are read: the better prompts are followed, their words added, the words of the worse ones dropped. It
        keeps to a word limit."""
        draw = Random(f"{self.seed}:{seed}:{blake2b(meta_prompt.encode(), digest_size=8).hexdigest()}")
        credit = _credit(shown_prompts(meta_prompt))
        words = _followed(shown_prompts(meta_prompt), current_prompt(meta_prompt), draw).split()
        limits = [int(n) for n in _LIMIT.findall(meta_prompt)]
        allowed = max(1, min(self.edits, limits[-1] if limits else self.edits))
        # Like an LLM it uses the freedom that it is given: without a limit it rewrites much.
        edits = draw.randint(1 + allowed // 4, allowed)
        for _ in range(edits):
            place = _worst(words, credit, draw)
            kind = draw.random()
            if kind < 0.3 and len(words) > 1:
                del words[place]
            elif kind < 0.5 and words:
                words[place] = self._word(words, credit, draw)
            else:
                words.insert(draw.randrange(len(words) + 1), self._word(words, credit, draw))
        return f"<START>{' '.join(words)}<END>"

    def _word(self, words: Sequence[str], credit: Mapping[str, float], draw: Random) -> str:
        # A word that only worse prompts hold is no better than one nobody has tried yet.
        known = [word for word in credit if word not in words and credit[word] >= 0]
        if not known or draw.random() < self.reckless:
            return draw.choice(VOCABULARY)
        return draw.choices(known, weights=[exp(credit[word] / SHARPNESS) for word in known])[0]


def _followed(shown: Sequence[tuple[str, float | None]], current: str, draw: Random) -> str:
    scored = [(prompt, score) for prompt, score in shown if score is not None]
    if not scored:
        return current
    best = max(score for _, score in scored)
    return draw.choices(
        [prompt for prompt, _ in scored], weights=[exp((score - best) / SHARPNESS) for _, score in scored]
    )[0]


def _credit(shown: Sequence[tuple[str, float | None]]) -> dict[str, float]:
    """Each shown word's mean score in the prompts that hold it minus the mean of the others; 0 without scores."""
    scored = [(set(prompt.split()), score) for prompt, score in shown if score is not None]
    credit = {word: 0.0 for prompt, _ in shown for word in prompt.split()}
    for word in credit:
        held = [score for words, score in scored if word in words]
        rest = [score for words, score in scored if word not in words]
        if held and rest:
            credit[word] = sum(held) / len(held) - sum(rest) / len(rest)
    return credit


def _worst(words: Sequence[str], credit: Mapping[str, float], draw: Random) -> int:
    if not words:
        return 0
    weights = [exp(-credit.get(word, 0.0) / SHARPNESS) for word in words]
    return draw.choices(range(len(words)), weights=weights)[0]


def shown_prompts(meta_prompt: str) -> list[tuple[str, float | None]]:
    """The prompts of a meta-prompt with their scores (as written, None where there is none), in their order."""
    found = list(_SHOWN.finditer(meta_prompt))
    shown: list[tuple[str, float | None]] = []
    for i, match in enumerate(found):
        end = found[i + 1].start() if i + 1 < len(found) else len(meta_prompt)
        score = _SCORE.search(meta_prompt, match.end(), end)
        shown.append((match[1].strip(), float(score[1]) if score else None))
    return shown


def current_prompt(meta_prompt: str) -> str:
    """The prompt shown after the words "current prompt", otherwise the last one; "" where none is shown."""
    named = re.search(r"^.*\bcurrent prompt\b", meta_prompt, re.IGNORECASE | re.MULTILINE)
    match = _SHOWN.search(meta_prompt, named.start()) if named else None
    if match:
        return match[1].strip()
    shown = shown_prompts(meta_prompt)
    return shown[-1][0] if shown else ""


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def _unit(text: str) -> float:
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest()) / 2**56


def _target(item: int) -> str:
    return "left" if _unit(f"target:{item}") < 0.5 else "right"


def _other(item: int) -> str:
    return "right" if _target(item) == "left" else "left"
