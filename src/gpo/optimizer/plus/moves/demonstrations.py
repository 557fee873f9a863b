"""Demonstrations, a second block of parameters: which rows of train stand before the question, and how they change.

Words and demonstrations are moved one block at a time (block-coordinate descent; the choice of rows is like that of
support vectors). MIPRO (arXiv 2406.11695) and Wan et al. (arXiv 2406.15708) find the choice of examples worth as much
as the words. Rows that may be shown are never scored. Every function is pure in its generator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from gpo.task.demonstrations import Demonstration
from gpo.task.example import Example
from gpo.task.program.parts import has_mark
from gpo.task.prompt import find_placeholders
from gpo.task.task import Task

USUAL, MOST = 4, 8
"""Demonstrations of a first set, and at most."""
LEAST_TRAIN = 8
"""Train rows under which none can be shown and others kept for the duel."""
REDRAWN = 0.5
"""Share of the moves that draw a new set."""
MOST_SHOWN = 24
"""Rows of train that may be shown at most."""
FIXED = "task.demonstrations fixes the demonstrations of every prompt, so gpo+ does not search over them"

Shown = tuple[Demonstration, ...]


@dataclass(frozen=True, slots=True)
class Dealt:
    """Rows that may be `shown` as demonstrations, and `fresh` ones that are left for the duel: none is both.
    `warnings` say why there are none to show. A program has to be run on its `rows` before they can be shown."""

    shown: tuple[Demonstration, ...]
    fresh: tuple[Example, ...]
    warnings: tuple[str, ...] = ()
    rows: tuple[Example, ...] = ()


def deal(task: Task, words: str, rng: Random, *, demonstrations: bool = True) -> Dealt:
    """Deal the rows of train, half of them to be shown (all of the `demos` split where there is one). `words` says by
    its placeholders which columns a demonstration has to bring; a program fills its prompts itself. Rows that the task
    shows itself are left out, and of a program those without an expected answer are not shown."""
    own = {example.id for example in task.demos}
    train = [example for example in task.splits.train if example.id not in own]
    rng.shuffle(train)
    if not demonstrations:
        return Dealt((), tuple(train))
    if task.demonstrations:
        return Dealt((), tuple(train), (FIXED,))
    if task.splits.demos:
        return Dealt(_show(task, words, task.splits.demos), tuple(train))
    if not can_show(len(train)):
        few = f"train has {len(train)} rows; under {LEAST_TRAIN} gpo+ shows none as demonstrations"
        return Dealt((), tuple(train), (few,))
    half = min(MOST_SHOWN, len(train) // 2)
    if task.program is not None and task.program.demonstrate is not None:
        return Dealt((), tuple(train[half:]), rows=tuple(train[:half]))
    return Dealt(_show(task, words, train[:half]), tuple(train[half:]))


def can_show(train: int, *, demonstrations: bool = True) -> bool:
    """Whether `train` rows are enough to show some and keep others."""
    return demonstrations and train >= LEAST_TRAIN


def draw_balanced(pool: Sequence[Demonstration], rng: Random, size: int | None = None) -> Shown:
    """A set with as many of each answer as can be: of `size`, or a first one, 4 of up to 4 answers, up to 6 of more."""
    shuffled = rng.sample(list(pool), len(pool))
    queues: dict[str, list[Demonstration]] = {}
    for item in shuffled:
        queues.setdefault(item.answer, []).append(item)
    usual = USUAL if len(queues) <= USUAL or len(queues) == len(pool) else 6
    size = min(len(pool), size or usual)
    drawn: list[Demonstration] = []
    for turn in range(len(pool)):
        drawn += [queue[turn] for queue in queues.values() if turn < len(queue)]
    return tuple(rng.sample(drawn[:size], size))


def move_part(shown: Shown, pool: Sequence[Demonstration], part: str, rng: Random) -> Shown:
    """A move of those that belong to `part`; the others stay."""
    own = tuple(item for item in shown if item.part == part)
    moved = move(own, in_part(pool, part), rng)
    others = tuple(item for item in shown if item.part != part)
    # In one order, whichever part was moved last: the same sets are the same prompt.
    return tuple(sorted((*others, *moved), key=lambda item: item.part))


def in_part(pool: Sequence[Demonstration], part: str) -> Shown:
    """Those of `pool` that belong to `part`."""
    return tuple(item for item in pool if item.part == part)


def move(shown: Shown, pool: Sequence[Demonstration], rng: Random) -> Shown:
    """Another set: one swapped, added or dropped, or all in another order, or every other time a new draw of as many; a
    first set where there is none. The same set where nothing can be moved.

    Draws differ by more than a few searched steps gain (docs/results.md), so a search near the first one is not enough.
    """
    if not shown:
        return draw_balanced(pool, rng)
    rest = [item for item in pool if item not in shown]
    if rest and rng.random() < REDRAWN:
        return draw_balanced(pool, rng, len(shown))
    moves: list[Callable[[Shown, Sequence[Demonstration], Random], Shown]] = [_drop]
    if rest:
        moves += [_swap, _swap]
    if rest and len(shown) < MOST:
        moves.append(_add)
    if len(shown) > 1:
        moves.append(_reorder)
    return rng.choice(moves)(shown, rest, rng)


def _swap(shown: Shown, rest: Sequence[Demonstration], rng: Random) -> Shown:
    place = rng.randrange(len(shown))
    return (*shown[:place], rng.choice(rest), *shown[place + 1 :])


def _add(shown: Shown, rest: Sequence[Demonstration], rng: Random) -> Shown:
    place = rng.randrange(len(shown) + 1)
    return (*shown[:place], rng.choice(rest), *shown[place:])


def _drop(shown: Shown, rest: Sequence[Demonstration], rng: Random) -> Shown:
    place = rng.randrange(len(shown))
    return (*shown[:place], *shown[place + 1 :])


def _reorder(shown: Shown, rest: Sequence[Demonstration], rng: Random) -> Shown:
    place = rng.randrange(len(shown))
    others = (*shown[:place], *shown[place + 1 :])
    to = rng.choice([there for there in range(len(shown)) if there != place])
    return (*others[:to], shown[place], *others[to:])


def _show(task: Task, words: str, examples: Sequence[Example]) -> Shown:
    if task.program is not None:
        texts = ((example.input, task.target_text(example)) for example in examples)
        # A mark of parts could not be given back as the prompt of a program.
        return tuple(
            Demonstration(*one) for one in texts if one[1].strip() and not has_mark(f"{one[0]} {one[1]}")
        )
    needed = [name for name in find_placeholders(words) if name != "input"]
    return tuple(
        Demonstration(
            example.input,
            task.target_text(example),
            {name: example.fields[name] for name in needed if name in example.fields},
        )
        for example in examples
    )
