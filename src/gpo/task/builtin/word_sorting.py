"""Put words into alphabetical order; the answer is a word list.

Own wording, in the manner of BIG-Bench Hard's task of this name.

Example: "Alphabetical order, please: plank, cedar, planet" -> cedar planet plank
"""

from __future__ import annotations

import random
from typing import Final

from gpo.task.builtin.rows import Row, make_distinct_rows

# Families that share their first letters make the order hang on the third, fourth or fifth letter.
FAMILIES: Final = (
    "plan planet plank plant plaster plate platform player",
    "car carbon cardinal care cargo carpet carrot cartoon carve",
    "stable stack staff stage stair stamp star statue stay",
    "grain grand granite grant grape graph grass gravel gravy",
    "braid branch brand brass brave bread break breeze brick",
    "maple marble march margin marine market marsh mask master",
    "peach perch perfect period permit person pepper pearl",
    "comb cone concert condor contest convoy copper coral",
    "scout seal search season seat second secret seed segment",
    "tractor train trail trace track trade tradition traffic",
    "hall halo hammer hamster hand handle harbor harvest",
    "flag flake flame flank flannel flask flat flavor",
)
SINGLES: Final = (
    "abbey acorn almond amber anchor anvil apron arrow aspen attic badge bagel barley basket beacon "
    "beetle bishop blanket bottle bucket butter button cabin camel candle canyon castle cedar cellar "
    "cherry chimney circus cobalt comet cotton cradle crystal curtain dagger dairy damson dentist "
    "diamond dolphin donkey drizzle eagle easel ebony echo elbow ember engine envelope fable falcon "
    "feather fiddle fjord forest fossil fountain galaxy garlic gazelle geyser ginger glacier goblet "
    "hazel hedge helmet heron hinge honey igloo indigo ivory jacket jaguar jasmine jigsaw jungle kennel "
    "kettle kiosk kitten ladder lagoon lantern lemon lilac lizard lobster magnet mango mantle meadow "
    "mitten mortar mustard napkin nectar needle nettle nickel oasis obelisk olive opal orchid otter "
    "oyster paddle pebble pigeon pillow pirate puzzle quarry quartz quilt rabbit radish raven ribbon "
    "rocket saddle salmon scarf shovel sketch socket spider sponge tablet tailor thimble thunder ticket "
    "timber toffee tulip turnip umbrella uncle urchin valley vanilla velvet violin walnut weasel willow "
    "yarn yeast yogurt zebra zenith zigzag"
)

_REQUESTS: Final = (
    "Alphabetical order, please: {words}",
    "Put these words into the order of a dictionary: {words}",
    "A librarian files these cards from A to Z: {words}. In what order do they stand?",
    "Here are some words: {words}. Write them down again, sorted alphabetically.",
    "Which order would an alphabetical index give to {words}?",
    "Sort from A to Z. {words}",
)
_JOINTS: Final = (", ", " / ", "; ", " ")


def generate(rng: random.Random, n: int) -> list[Row]:
    """`n` different rows of 4 to 10 words, each length equally often, in random order; none comes sorted."""

    def make(index: int) -> tuple[str, str]:
        words = _words(rng, 4 + index % 7)
        listing = rng.choice(_JOINTS).join(words)
        return rng.choice(_REQUESTS).replace("{words}", listing), " ".join(sorted(words))

    rows = make_distinct_rows("word_sorting", n, make)
    rng.shuffle(rows)
    return rows


def _words(rng: random.Random, count: int) -> list[str]:
    """`count` different words in an order that is not alphabetical, about half of them of one family."""
    family = sorted(set(rng.choice(FAMILIES).split()))
    words = rng.sample(family, rng.randint(2, min(len(family), 1 + count // 2)))
    singles = [word for word in SINGLES.split() if word not in words]
    words += rng.sample(singles, count - len(words))
    rng.shuffle(words)
    while words == sorted(words):
        rng.shuffle(words)
    return words
