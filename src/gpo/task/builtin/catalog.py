"""The tasks that GPO brings, by name: what each is, how it is asked, and its rows dealt into splits."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeVar

from gpo.errors import ConfigError
from gpo.task.builtin import (
    boolean_expressions,
    navigate,
    object_counting,
    tickets,
    tracking_shuffled_objects,
    word_sorting,
)
from gpo.task.builtin.rows import Row

T = TypeVar("T")

_DEALT: Final = ("train", "dev", "test")
_FROM_TRAIN: Final = ("format", "demos")

# The paper's sizes for BIG-Bench Hard.
_BBH_SIZES: Final = MappingProxyType({"train": 48, "dev": 48, "test": 144})


@dataclass(frozen=True, slots=True)
class _Builtin:
    """`draw(rng, n)` returns `n` rows or more; every stretch of them has about the same mix of answers."""

    line: str
    draw: Callable[[random.Random, int], list[Row]]
    answer: Mapping[str, object]
    sizes: Mapping[str, int]
    prompt: str = "Let's think step by step."


def list_names() -> tuple[str, ...]:
    """The names of the builtin tasks; in a configuration `gpo/NAME`."""
    return tuple(_TASKS)


def describe(name: str) -> str:
    """What the task is, in one line. Raises ConfigError for an unknown name."""
    return _find(name).line


def load(
    name: str, *, seed: int, split: Mapping[str, int | float] | None
) -> tuple[dict[str, list[dict[str, object]]], dict[str, object]]:
    """The rows of each split, and how the task is asked unless the user says otherwise.

    `split` changes the default sizes, a key at a time; a share is one of the usual number of rows. `train`, `dev` and
    `test` are disjoint and have about the same mix of answers; `format` and `demos` exist where `split` names them,
    drawn from train. Rows are {"input": str, "target": str} and depend on (name, seed, split) alone.

    The second value holds keys of the task section (`input`, `target`, `answer`, `metric`, `position`) and
    `prompt`, a start prompt that is only suggested: a run begins with the one of its configuration.

    Raises ConfigError in one line for an unknown name, a wrong split or more rows than there are.
    """
    task = _find(name)
    sizes = _sizes(name, task, split)
    rng = random.Random(f"gpo/{name}/{seed}")
    pool = task.draw(rng, sum(sizes[part] for part in _DEALT))
    splits: dict[str, list[Row]] = {}
    first = 0
    for part in _DEALT:
        splits[part] = pool[first : first + sizes[part]]
        first += sizes[part]
        # The dealing order goes round the answers; a batch must not.
        rng.shuffle(splits[part])
    for part in _FROM_TRAIN:
        if part in sizes:
            splits[part] = rng.sample(splits["train"], sizes[part])
    defaults: dict[str, object] = {
        "input": "input",
        "target": "target",
        "answer": dict(task.answer),
        "metric": "exact_match",
        "position": "question_end",
        "prompt": task.prompt,
    }
    return splits, defaults


def _find(name: str) -> _Builtin:
    if name not in _TASKS:
        raise ConfigError(f"task.data: no builtin task {name!r}; there are {', '.join(_TASKS)}")
    return _TASKS[name]


def _sizes(name: str, task: _Builtin, split: Mapping[str, int | float] | None) -> dict[str, int]:
    usual = sum(task.sizes[part] for part in _DEALT)
    given: dict[str, object] = {
        part: max(1, round(size * usual)) if isinstance(size, float) and 0 < size < 1 else size
        for part, size in (split or {}).items()
    }
    for part, size in given.items():
        if part not in _DEALT + _FROM_TRAIN:
            raise ConfigError(
                f"task.split: unknown split {part!r}; there are {', '.join(_DEALT + _FROM_TRAIN)}"
            )
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ConfigError(
                f"task.split.{part} must be a whole number above 0 or a share below 1, not {size!r}"
            )
    sizes = {**task.sizes, **{part: size for part, size in given.items() if isinstance(size, int)}}
    for part in _FROM_TRAIN:
        if sizes.get(part, 0) > sizes["train"]:
            raise ConfigError(
                f"task.split.{part} is {sizes[part]}, but in gpo/{name} its rows come from train, "
                f"which has {sizes['train']}"
            )
    return sizes


def _draw_tickets(rng: random.Random, n: int) -> list[Row]:
    rows = tickets.read_rows()
    if n > len(rows):
        raise ConfigError(
            f"task.split: gpo/tickets has {len(rows)} rows, but train, dev and test together ask for {n} "
            f"(sizes not given are {', '.join(f'{part} {size}' for part, size in _TICKETS_SIZES.items())})"
        )
    queues = []
    for label in tickets.LABELS:
        kinds = [[r for r in rows if r["target"] == label and r["kind"] == kind] for kind in tickets.KINDS]
        queues.append(_interleaved(rng, kinds, shuffled=True))
    return [
        {"input": row["input"], "target": row["target"]} for row in _interleaved(rng, queues, shuffled=False)
    ]


def _stratified(
    generate: Callable[[random.Random, int], list[Row]],
) -> Callable[[random.Random, int], list[Row]]:
    """The same rows, ordered so that every stretch of them has about the same mix of answers."""

    def draw(rng: random.Random, n: int) -> list[Row]:
        rows = generate(rng, n)
        answers = sorted({str(row["target"]) for row in rows})
        groups = [[row for row in rows if row["target"] == answer] for answer in answers]
        return _interleaved(rng, groups, shuffled=False)

    return draw


def _interleaved(rng: random.Random, groups: Sequence[Sequence[T]], *, shuffled: bool) -> list[T]:
    """All members, each group spread evenly over the whole; its own order is kept unless `shuffled`."""
    placed: list[tuple[float, int, T]] = []
    for number, group in enumerate(groups):
        members = list(group)
        if shuffled:
            rng.shuffle(members)
        offset = rng.random()
        placed += [((at + offset) / len(members), number, member) for at, member in enumerate(members)]
    return [member for _, _, member in sorted(placed, key=lambda place: place[:2])]


_TICKETS_SIZES: Final = MappingProxyType({"train": 50, "dev": 50, "test": 200})
_TWO_ROUNDS: Final = 2  # The small models that run here show no slope on these tasks when asked once.

_TASKS: Final[Mapping[str, _Builtin]] = MappingProxyType(
    {
        "tickets": _Builtin(
            line="Route a customer's message to one of six queues by what the customer wants (hand-written).",
            draw=_draw_tickets,
            answer={"kind": "label", "labels": list(tickets.LABELS), "rounds": 1},
            prompt="What is this message about?",
            sizes=_TICKETS_SIZES,
        ),
        "navigate": _Builtin(
            line="Say whether a walk ends where it began: Yes or No (generated).",
            draw=_stratified(navigate.generate),
            answer={"kind": "boolean", "rounds": _TWO_ROUNDS},
            sizes=_BBH_SIZES,
        ),
        "object_counting": _Builtin(
            line="Count the things of one sort in a list: a number (generated).",
            draw=_stratified(object_counting.generate),
            answer={"kind": "number", "rounds": _TWO_ROUNDS},
            sizes=_BBH_SIZES,
        ),
        "word_sorting": _Builtin(
            line="Put 4 to 10 words into alphabetical order: a word list (generated).",
            draw=word_sorting.generate,
            answer={"kind": "words", "rounds": _TWO_ROUNDS},
            sizes=_BBH_SIZES,
        ),
        "tracking_shuffled_objects": _Builtin(
            line="Follow three things through swaps: one of (A), (B), (C) (generated).",
            draw=_stratified(tracking_shuffled_objects.generate),
            answer={"kind": "choice", "rounds": _TWO_ROUNDS},
            sizes=_BBH_SIZES,
        ),
        "boolean_expressions": _Builtin(
            line="Evaluate a logical expression: True or False (generated).",
            draw=_stratified(boolean_expressions.generate),
            answer={"kind": "boolean", "rounds": _TWO_ROUNDS},
            sizes=_BBH_SIZES,
        ),
    }
)
