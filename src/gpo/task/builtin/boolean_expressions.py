"""Is a logical expression True or False? Written by GPO in the manner of BIG-Bench Hard's task of this name.

`not` binds before `and`, `and` before `or`, as in Python.

Example: "Work this out: not ( True and False ) or False" -> True
"""

from __future__ import annotations

import random
from typing import Final

from gpo.task.builtin.rows import Row, make_distinct_rows

_QUESTIONS: Final = (
    "Work this out: {expression}",
    "What is the value of {expression} ?",
    "{expression} =",
    "A program evaluates {expression} and prints the result. What does it print?",
    "Decide whether this holds: {expression}",
)

# An expression as text and its value, found while it is put together.
_Valued = tuple[str, bool]


def generate(rng: random.Random, n: int) -> list[Row]:
    """`n` different rows, half "True" and half "False", in random order; 4 to 8 truth values a row."""

    def make(index: int) -> tuple[str, str]:
        wanted = index % 2 == 0
        text, value = _chain(rng, rng.randint(4, 8))
        while value is not wanted:
            text, value = _chain(rng, rng.randint(4, 8))
        return rng.choice(_QUESTIONS).replace("{expression}", text), str(wanted)

    rows = make_distinct_rows("boolean_expressions", n, make)
    rng.shuffle(rows)
    return rows


def _chain(rng: random.Random, leaves: int) -> _Valued:
    """Terms joined by `and` and `or`, with `leaves` truth values in all."""
    sizes = _sizes(rng, leaves)
    text, value = _term(rng, sizes[0])
    # The `and`-groups that stand between the `or`s.
    groups = [value]
    for size in sizes[1:]:
        operator = rng.choice(("and", "or"))
        right, value = _term(rng, size)
        text = f"{text} {operator} {right}"
        if operator == "and":
            groups[-1] = groups[-1] and value
        else:
            groups.append(value)
    return text, any(groups)


def _sizes(rng: random.Random, leaves: int) -> list[int]:
    """`leaves` as two or more summands of 1 to 3."""
    sizes: list[int] = []
    while (left := leaves - sum(sizes)) > 0:
        sizes.append(min(rng.choice((1, 1, 2, 3)), left if sizes else left - 1))
    return sizes


def _term(rng: random.Random, leaves: int) -> _Valued:
    """A truth value or a chain in parentheses, with none, one or two `not` before it."""
    if leaves == 1:
        value = rng.random() < 0.5
        text = str(value)
    else:
        text, value = _chain(rng, leaves)
        text = f"( {text} )"
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        text, value = f"not {text}", not value
    return text, value
