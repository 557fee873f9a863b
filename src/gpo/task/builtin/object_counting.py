"""How many things of one sort are in a list? A number.

Own wording, in the manner of BIG-Bench Hard's task of this name.

Example: "The sticker album shows two pears, a cow, and three plums. How many pieces of fruit is that?" -> 5
"""

from __future__ import annotations

import random
from typing import Final

from gpo.task.builtin.rows import Row, make_distinct_rows

# What the question calls the sort -> its members, one and several. No member belongs to two sorts.
SORTS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "pieces of fruit": (
        ("pear", "pears"), ("plum", "plums"), ("apricot", "apricots"), ("mango", "mangoes"), ("fig", "figs"),
        ("lemon", "lemons"), ("kiwi", "kiwis"), ("apple", "apples"), ("cherry", "cherries"),
    ),
    "vegetables": (
        ("carrot", "carrots"), ("leek", "leeks"), ("onion", "onions"), ("turnip", "turnips"),
        ("radish", "radishes"), ("cabbage", "cabbages"), ("parsnip", "parsnips"), ("beetroot", "beetroots"),
    ),
    "animals": (
        ("cow", "cows"), ("otter", "otters"), ("goose", "geese"), ("badger", "badgers"), ("pony", "ponies"),
        ("hen", "hens"), ("fox", "foxes"), ("snail", "snails"), ("eagle", "eagles"),
    ),
    "musical instruments": (
        ("harp", "harps"), ("oboe", "oboes"), ("cello", "cellos"), ("tuba", "tubas"), ("banjo", "banjos"),
        ("fiddle", "fiddles"), ("organ", "organs"), ("bassoon", "bassoons"),
    ),
    "pieces of furniture": (
        ("armchair", "armchairs"), ("stool", "stools"), ("wardrobe", "wardrobes"), ("bookcase", "bookcases"),
        ("sofa", "sofas"), ("desk", "desks"), ("bench", "benches"), ("cupboard", "cupboards"),
    ),
    "tools": (
        ("hammer", "hammers"), ("chisel", "chisels"), ("wrench", "wrenches"), ("saw", "saws"),
        ("axe", "axes"), ("spanner", "spanners"), ("screwdriver", "screwdrivers"), ("crowbar", "crowbars"),
    ),
    "pieces of clothing": (
        ("scarf", "scarves"), ("jumper", "jumpers"), ("apron", "aprons"), ("skirt", "skirts"),
        ("anorak", "anoraks"), ("vest", "vests"), ("cardigan", "cardigans"), ("raincoat", "raincoats"),
    ),
    "vehicles": (
        ("tram", "trams"), ("lorry", "lorries"), ("tractor", "tractors"), ("bus", "buses"),
        ("ambulance", "ambulances"), ("scooter", "scooters"), ("taxi", "taxis"), ("van", "vans"),
    ),
}  # fmt: skip
NUMBERS: Final = ("", "a", "two", "three", "four", "five")

# Pictures, dreams and lists: places where a cow may stand beside a tuba.
_OPENINGS: Final = (
    "The sticker album shows",
    "On the big painting in the hall you can make out",
    "Last night I dreamt of",
    "My little brother has drawn",
    "The toy box holds small wooden copies of",
    "A theatre company looks for",
    "For the quiz the children cut out pictures of",
)
_QUESTIONS: Final = (
    "How many {sort} is that?",
    "How many {sort} are among them?",
    "Count only the {sort}. How many are there?",
    "How many of all these things are {sort}?",
)
SMALLEST: Final = 3
LARGEST: Final = 14


def generate(rng: random.Random, n: int) -> list[Row]:
    """`n` different rows, the answers 3 to 14 equally often, in random order."""

    def make(index: int) -> tuple[str, str]:
        total = SMALLEST + index % (LARGEST - SMALLEST + 1)
        return _question(rng, total), str(total)

    rows = make_distinct_rows("object_counting", n, make)
    rng.shuffle(rows)
    return rows


def _question(rng: random.Random, total: int) -> str:
    asked, *others = rng.sample(sorted(SORTS), rng.randint(2, 3))
    phrases = [
        _phrase(item, count) for item, count in zip(_members(rng, asked), _parts(rng, total), strict=False)
    ]
    for other in others:
        besides = _members(rng, other)[: rng.randint(1, 3)]
        phrases += [_phrase(item, rng.choice((1, 1, 2, 3, 4))) for item in besides]
    rng.shuffle(phrases)
    listing = f"{', '.join(phrases[:-1])}, and {phrases[-1]}"
    return f"{rng.choice(_OPENINGS)} {listing}. {rng.choice(_QUESTIONS).replace('{sort}', asked)}"


def _members(rng: random.Random, sort: str) -> list[tuple[str, str]]:
    return rng.sample(SORTS[sort], len(SORTS[sort]))


def _parts(rng: random.Random, total: int) -> list[int]:
    """`total` as 2 to 6 summands of 1 to 5."""
    most = len(NUMBERS) - 1
    parts = [1] * rng.randint(max(2, -(-total // most)), min(6, total))
    while sum(parts) < total:
        position = rng.randrange(len(parts))
        if parts[position] < most:
            parts[position] += 1
    return parts


def _phrase(item: tuple[str, str], count: int) -> str:
    one, several = item
    if count > 1:
        return f"{NUMBERS[count]} {several}"
    return f"{'an' if one[0] in 'aeio' else 'a'} {one}"
