"""A quick look at a few rows: what is left of a task for it, and the line that says so."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from gpo.errors import ConfigError
from gpo.task.example import Example
from gpo.task.task import Task


def take_few(task: Task, rows: int, seed: int) -> tuple[Task, str]:
    """`task` with at most `rows` rows of train and of dev and none of test, which stays closed for the real run; and
    what that means, for a person."""
    train, dev = (_some(task, split, rows, seed) for split in ("train", "dev"))
    told = (
        f"a quick look: {len(train)} of {len(task.splits.train)} train rows and {len(dev)} of "
        f"{len(task.splits.dev)} dev rows; the held-out test set stays closed, so it does not show whether a prompt is "
        "better (leave -n out for that)"
    )
    return replace(task, splits=replace(task.splits, train=train, dev=dev, test=())), told


def take_few_of(task: Task, split: str, rows: int, seed: int) -> tuple[Task, str]:
    """`task` with at most `rows` rows of `split`, and what that means. Raises `ConfigError` for an unknown split."""
    some = _some(task, split, rows, seed)
    told = f"a quick look: {len(some)} of {len(task.examples(split))} {split} rows (leave -n out for all)"
    return replace(task, splits=replace(task.splits, **{split: some})), told


def check_few(rows: int | None) -> None:
    """Raise `ConfigError` where `-n` is no number of rows."""
    if rows is not None and rows < 1:
        raise ConfigError(f"-n {rows}: must be a number of rows, such as 20")


def _some(task: Task, split: str, rows: int, seed: int) -> tuple[Example, ...]:
    have: Sequence[Example] = task.examples(split)
    kept = random.Random(f"{seed}/few/{split}").sample(range(len(have)), min(rows, len(have)))
    return tuple(have[index] for index in sorted(kept))
