"""One labelled row, and the splits that rows are in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Target = str | float | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled row.

    `id` is stable and unique within the task (split name and row number unless the data has an `id` column);
    `input` is the rendered question; `target` the expected answer, a tuple where there are several references;
    `fields` the row's columns as text, for placeholders in a prompt; `source` says "file:line" for messages. `row` is
    the row as it was given, of a program's task alone.
    """

    id: str
    input: str
    target: Target
    fields: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)
    source: str = field(default="", compare=False)
    row: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Splits:
    """`train` feeds reflection, `dev` scores candidates, `test` is evaluated once, at the end, `format` holds the task
    examples of the meta-prompt (taken from train where it is empty), `demos` the demonstrations of the
    "Instruction + Demonstration" setting (taken from train where it is empty)."""

    train: Sequence[Example]
    dev: Sequence[Example]
    test: Sequence[Example]
    format: Sequence[Example] = ()
    demos: Sequence[Example] = ()
