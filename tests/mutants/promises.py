"""Promises that must have a test which fails where they are broken: each breaks one on purpose, in the words of the
code. A line that is gone from the code is an error: the promise has moved, and its mutation has to follow it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Promise:
    """`words` hold because of `before` in `path`; with `after` instead, one of `tests` must fail."""

    words: str
    path: str
    before: str
    after: str
    tests: tuple[str, ...]


PROMISES = (
    Promise(
        "every epoch shuffles the train rows anew",
        "src/gpo/optimizer/parts/information.py",
        'step.workbench.rng(epoch, "epoch")',
        'step.workbench.rng(0, "epoch")',
        ("tests/optimizer/test_information.py",),
    ),
    Promise(
        "a score is read anew after an exclusion",
        "src/gpo/optimizer/loop.py",
        "            score = self.mean(point.prompt)\n",
        "            score = point.score\n",
        ("tests/optimizer/test_loop.py",),
    ),
    Promise(
        "an answer is in the journal before it is in the store",
        "src/gpo/run/layers/journaled.py",
        "            packed = await pack_waiting(reply)\n",
        "            packed = await pack_waiting(reply)\n            if shared:\n"
        "                shared.put(key, reply)\n",
        ("tests/run/test_journaled.py",),
    ),
    Promise(
        "the budget counts the overhead of every message",
        "src/gpo/run/layers/amount.py",
        "MESSAGE_OVERHEAD * len(texts)",
        "MESSAGE_OVERHEAD",
        ("tests/reliability/test_budget.py",),
    ),
    Promise(
        "the budget counts the overhead of a call",
        "src/gpo/run/layers/amount.py",
        "size + CALL_OVERHEAD + ",
        "size + ",
        ("tests/reliability/test_budget.py",),
    ),
)


def break_promise(root: Path, promise: Promise) -> str:
    """The file with the promise broken. Raises `LookupError` where its line is not there exactly once."""
    source = (root / promise.path).read_text(encoding="utf-8")
    if source.count(promise.before) != 1:
        raise LookupError(f"{promise.path} does not have this once, for {promise.words!r}: {promise.before}")
    return source.replace(promise.before, promise.after)
