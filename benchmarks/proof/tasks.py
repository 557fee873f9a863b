"""The tasks of the proof, registered with reasons before any of them was run, and their rows.

Every task is asked in one round: what a prompt makes the model write is what is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

from gpo.config.task import AnswerConfig, TaskConfig
from gpo.errors import ConfigError
from gpo.task.example import Example, Splits
from gpo.task.task import Task

THINK: Final = "Let's think step by step."


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A task of the proof: its `data` as a configuration names it, why it is in, the prompt that searches start
    from, and the tokens of a reply: enough for an answer, and for the reasoning only where it takes some."""

    data: str
    reason: str
    start: str = THINK
    max_tokens: int = 16


REGISTERED: Final[dict[str, Registered]] = {
    "tickets": Registered(
        data="gpo/tickets",
        reason="six labels that the start prompt does not name: a form that the model can give and does not",
        start="What is this message about?",
    ),
    "boolean_expressions": Registered(
        data="bbh/boolean_expressions",
        reason="two labels, a right answer that can be computed; thinking aloud helps or runs out of room",
    ),
    "date_understanding": Registered(
        data="bbh/date_understanding", reason="lettered options, arithmetic on dates: form and reasoning both count"
    ),
    "object_counting": Registered(
        data="bbh/object_counting",
        reason="a number, no options to guess from; the one task where methods differed beyond chance before",
        max_tokens=80,
    ),
    "sports_understanding": Registered(
        data="bbh/sports_understanding", reason="two labels, knowledge rather than reasoning"
    ),
    "wsc": Registered(data="wsc", reason="the flat control: earlier searches ended below a fixed prompt"),
    "navigate": Registered(
        data="bbh/navigate", reason="two labels, reasoning in steps; small models tend to give one answer throughout"
    ),
    "gsm8k": Registered(
        data="gsm8k", reason="a number after several steps: the prompts that think should win", max_tokens=160
    ),
    "movie_recommendation": Registered(
        data="bbh/movie_recommendation", reason="lettered options, taste rather than reasoning; in the lite suite"
    ),
    "high_school_psychology": Registered(
        data="mmlu/high_school_psychology", reason="lettered options, knowledge; small models know some of it"
    ),
}  # fmt: skip
"""By short name, in the order of the tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """All rows of a task: `search` is train and dev together, `test` is held out."""

    search: tuple[Example, ...]
    test: tuple[Example, ...]


def open_task(name: str, data_dir: Path | None) -> Task:
    """The task `name` with all its rows, one round. Raises `ConfigError` for a name that is not registered."""
    if name not in REGISTERED:
        raise ConfigError(f"--tasks {name}: is not registered; there are {', '.join(REGISTERED)}")
    config = TaskConfig(data=REGISTERED[name].data, answer=AnswerConfig(rounds=1))
    return replace(Task.from_config(config, seed=0, data_dir=data_dir), rounds=1)


def rows_of(task: Task) -> Rows:
    """Rows of `task`; a search row that asks the same as a test row is left out."""
    held = {example.input for example in task.splits.test}
    search = (*task.splits.train, *task.splits.dev)
    return Rows(search=tuple(row for row in search if row.input not in held), test=tuple(task.splits.test))


def deal(name: str, task: Task, seed: int, *, train: int, dev: int, test: int) -> Task:
    """`task` with its rows dealt anew by `seed`: every arm of a comparison gets the same splits.

    Raises `ConfigError` where there are too few rows.
    """
    rows = rows_of(task)
    if len(rows.search) < train + dev or len(rows.test) < test:
        raise ConfigError(
            f"{name}: has {len(rows.search)} rows for train and dev and {len(rows.test)} for test; "
            f"{train} + {dev} and {test} are asked for"
        )
    draw = Random(f"proof/{name}/{seed}")
    search, held = draw.sample(rows.search, train + dev), draw.sample(rows.test, test)
    return replace(
        task,
        name=name,
        splits=Splits(train=tuple(search[:train]), dev=tuple(search[train:]), test=tuple(held)),
    )


def balanced(task: Task, rows: Sequence[Example], count: int, draw: Random) -> tuple[Example, ...]:
    """`count` of `rows` with labels as different as they come: every label once before any comes twice.

    Raises `ConfigError` where there are fewer rows.
    """
    if len(rows) < count:
        raise ConfigError(
            f"{task.name}: {count} demonstrations are asked for, and there are {len(rows)} rows"
        )
    shuffled = draw.sample(list(rows), len(rows))
    often: dict[str, int] = {}
    ranked = []
    for place, row in enumerate(shuffled):
        label = task.target_text(row)
        often[label] = often.get(label, 0) + 1
        ranked.append((often[label], place, row))
    return tuple(row for _, _, row in sorted(ranked, key=lambda item: item[:2])[:count])


def with_demonstrations(task: Task, demos: Sequence[Example]) -> Task:
    """`task` with `demos` before every question (none: as it is)."""
    if not demos:
        return task
    return replace(task, demonstrations=len(demos), splits=replace(task.splits, demos=tuple(demos)))
