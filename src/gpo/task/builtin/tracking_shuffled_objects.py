"""Who holds what after some swaps? One of (A), (B), (C).

Own wording, in the manner of BIG-Bench Hard's task of this name.

Example: "Three campers share out the cups: Ines takes the red cup, Tom the blue cup, and Wei the tin cup.
Then they trade. Tom and Wei swap cups. Ines and Tom swap cups. Which one does Wei have now?
(A) the red cup
(B) the blue cup
(C) the tin cup" -> (B)
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from gpo.task.builtin.rows import Row, make_distinct_rows

LETTERS: Final = ("A", "B", "C")
_PEOPLE: Final = (
    "Ines", "Tom", "Wei", "Amara", "Jonas", "Priya", "Lucia", "Omar", "Freya", "Mateo", "Yuki", "Zola",
    "Karim", "Nora", "Pavel",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Scene:
    """A sharing out: `opening` stands before the colon, `what` is the plural noun, `things` are shared."""

    opening: str
    what: str
    things: tuple[str, ...]


_SCENES: Final = (
    _Scene(
        "Three campers share out the cups",
        "cups",
        ("the red cup", "the blue cup", "the tin cup", "the clay cup"),
    ),
    _Scene(
        "Before the hike each friend picks a backpack",
        "backpacks",
        ("the green backpack", "the heavy backpack", "the torn backpack", "the new backpack"),
    ),
    _Scene(
        "For the night train three travellers draw berths",
        "berths",
        ("the top berth", "the middle berth", "the bottom berth", "the window berth"),
    ),
    _Scene(
        "In the choir the song sheets go round",
        "sheets",
        ("the alto sheet", "the tenor sheet", "the bass sheet", "the soprano sheet"),
    ),
    _Scene(
        "Three gardeners are given a plot each",
        "plots",
        ("the rose plot", "the herb plot", "the bean plot", "the pumpkin plot"),
    ),
    _Scene(
        "At the clinic three nurses get their shifts",
        "shifts",
        ("the early shift", "the late shift", "the night shift", "the weekend shift"),
    ),
)
_FIRST: Final = (" Then they trade.", " After a while the trading begins.", " But nobody is content.")
_QUESTIONS: Final = (
    "Which one does {who} have now?",
    "What is left with {who} at the end?",
    "{who} ends up with",
)


def generate(rng: random.Random, n: int) -> list[Row]:
    """`n` different rows, each letter right equally often, in random order; 2 to 5 swaps a row."""

    def make(index: int) -> tuple[str, str]:
        return _question(rng, index % len(LETTERS)), f"({LETTERS[index % len(LETTERS)]})"

    rows = make_distinct_rows("tracking_shuffled_objects", n, make)
    rng.shuffle(rows)
    return rows


def _question(rng: random.Random, right: int) -> str:
    """The text of a row in which option number `right` is the true one."""
    scene = rng.choice(_SCENES)
    people = rng.sample(_PEOPLE, 3)
    things = rng.sample(scene.things, 3)
    held = dict(zip(people, things, strict=True))
    swaps = _swaps(rng, people)
    for left, other in swaps:
        held[left], held[other] = held[other], held[left]

    asked = rng.choice(people)
    options = [thing for thing in things if thing != held[asked]]
    rng.shuffle(options)
    options.insert(right, held[asked])

    first, second, third = (f"{who} {thing}" for who, thing in zip(people, things, strict=True))
    start = f"{scene.opening}: {first.replace(' ', ' takes ', 1)}, {second}, and {third}."
    story = " ".join(f"{left} and {other} swap {scene.what}." for left, other in swaps)
    question = rng.choice(_QUESTIONS).replace("{who}", asked)
    listing = "\n".join(f"({letter}) {option}" for letter, option in zip(LETTERS, options, strict=True))
    return f"{start}{rng.choice(_FIRST)} {story} {question}\n{listing}"


def _swaps(rng: random.Random, people: list[str]) -> list[tuple[str, str]]:
    """2 to 5 pairs; none is the pair just before it, which would only undo that."""
    swaps: list[tuple[str, str]] = []
    count = rng.randint(2, 5)
    while len(swaps) < count:
        left, other = rng.sample(people, 2)
        if not swaps or {left, other} != set(swaps[-1]):
            swaps.append((left, other))
    return swaps
