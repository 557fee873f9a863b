"""Does a walk end where it began? Yes or No.

Own wording, in the manner of BIG-Bench Hard's task of this name.

Example: "A robot leaves its dock and obeys: 3 tiles north, 2 tiles west, 3 tiles south. Does it stand on its
dock again at the end? Yes or No?" -> No
"""

from __future__ import annotations

import random
from typing import Final

from gpo.task.builtin.rows import Row, make_distinct_rows

# Quarter turns clockwise from the heading at the start.
Direction = int
Leg = tuple[Direction, int]

_VECTORS: Final = ((0, 1), (1, 0), (0, -1), (-1, 0))
_COMPASS: Final = ("north", "east", "south", "west")
_SIDES: Final = ("forward", "to the right", "back", "to the left")
_TURNS: Final = ("", "turn right", "turn around", "turn left")

# Opening, unit (one, several), question.
_SCENES: Final = (
    ("A robot leaves its dock and obeys:", ("tile", "tiles"), "Does it stand on its dock again at the end?"),
    ("Stand still, then do this:", ("pace", "paces"), "Are you back on the spot where you began?"),
    (
        "A child in a snowy field plays a game:",
        ("step", "steps"),
        "Does the walk end at its first footprint?",
    ),
    ("A toy car crosses a chequered rug:", ("square", "squares"), "Is the car where it was before?"),
    ("A drone hovers over a mark and gets these orders:", ("metre", "metres"), "Is it over the mark again?"),
    ("From the old oak the map says:", ("stride", "strides"), "Does the route lead you back to the oak?"),
)
_STILL: Final = " (always facing the same way)"
_JOINTS: Final = (", ", "; ", ", then ")


def generate(rng: random.Random, n: int) -> list[Row]:
    """`n` different rows, half of them "Yes" and half "No", in random order."""

    def make(index: int) -> tuple[str, str]:
        back = index % 2 == 0
        legs = _closed_walk(rng)
        return _worded(rng, legs if back else _opened(rng, legs)), "Yes" if back else "No"

    rows = make_distinct_rows("navigate", n, make)
    rng.shuffle(rows)
    return rows


def _closed_walk(rng: random.Random) -> list[Leg]:
    """3 to 8 legs in random order whose vectors add up to zero."""
    legs = [(rng.randrange(4), rng.randint(1, 9)) for _ in range(rng.randint(2, 4))]
    for axis, (ahead, behind) in enumerate(((1, 3), (0, 2))):
        net = sum(_VECTORS[direction][axis] * length for direction, length in legs)
        homeward = behind if net > 0 else ahead
        if abs(net) >= 2 and rng.random() < 0.4:
            first = rng.randint(1, abs(net) - 1)
            legs += [(homeward, first), (homeward, abs(net) - first)]
        elif net:
            legs.append((homeward, abs(net)))
    rng.shuffle(legs)
    return legs


def _opened(rng: random.Random, legs: list[Leg]) -> list[Leg]:
    """The same walk with one leg changed, so that it misses its start and yet looks no different."""
    position = rng.randrange(len(legs))
    direction, length = legs[position]
    changed = ((direction + 2) % 4, length)
    if rng.random() < 0.6:
        changed = (direction, rng.choice([other for other in range(1, 10) if other != length]))
    return [*legs[:position], changed, *legs[position + 1 :]]


def _worded(rng: random.Random, legs: list[Leg]) -> str:
    opening, unit, question = rng.choice(_SCENES)
    style = rng.choice(("sides", "turns", "compass"))
    if style == "turns":
        moves = _turning(legs, unit)
    else:
        names = _SIDES if style == "sides" else _COMPASS
        moves = [f"{_distance(length, unit)} {names[direction]}" for direction, length in legs]
    # Without this note "to the left" could be read as a turn.
    still = _STILL if style == "sides" else ""
    return f"{opening} {rng.choice(_JOINTS).join(moves)}{still}. {question} Yes or No?"


def _turning(legs: list[Leg], unit: tuple[str, str]) -> list[str]:
    moves: list[str] = []
    heading = 0
    for direction, length in legs:
        turn = _TURNS[(direction - heading) % 4]
        moves += [turn] if turn else []
        moves.append(f"{_distance(length, unit)} straight ahead")
        heading = direction
    return moves


def _distance(length: int, unit: tuple[str, str]) -> str:
    return f"{length} {unit[0] if length == 1 else unit[1]}"
