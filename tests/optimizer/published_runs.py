"""Whole runs of the published protocols against simulated models, for the tests of each protocol.

The task model is right on more rows the more of the hidden words a prompt holds; the optimizer writes random words, a
pure function of what it is sent and its seed. Nothing here says anything about real models.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import gpo
from gpo.storage.journal_reader import JournalReader
from gpo.storage.records import RecordedCall

HIDDEN = ("amber", "birch", "cedar", "delta")
OTHER = ("fern", "grove", "heath", "ivy", "juniper", "kelp", "lilac", "moss", "nettle", "orchid")
START = "Say red or blue."


def task(train: int = 40, dev: int = 30, test: int = 10) -> gpo.Task:
    sizes = {"train": train, "dev": dev, "test": test}
    rows = {
        name: [{"input": f"{name} number {i}", "target": ("red", "blue")[i % 2]} for i in range(size)]
        for name, size in sizes.items()
    }
    return gpo.Task.from_rows(rows, name="colours", answer={"kind": "label", "labels": ["red", "blue"]})


def answer(text: str) -> str:
    """Right on the first 3 of every 10 rows, and on 2 more for each hidden word."""
    found = re.search(r"number (\d+)", text)
    assert found
    row = int(found[1])
    right = row % 10 < 3 + 2 * sum(word in text for word in HIDDEN[:3])
    return ("red", "blue")[row % 2 if right else 1 - row % 2]


class Optimizer:
    """Replies with four words between tags, and keeps count of what it was asked in this process."""

    def __init__(self, tags: tuple[str, str] = ("<START>", "<END>")) -> None:
        self.tags = tags
        self.calls = 0

    def __call__(self, messages: Sequence[Mapping[str, str]], seed: int | None, n: int) -> list[str]:
        self.calls += n
        said = [message["content"] for message in messages]
        draws = [Random(f"{(seed or 0) + index}/{said}") for index in range(n)]
        return [f"{self.tags[0]}{' '.join(draw.sample(HIDDEN + OTHER, 4))}{self.tags[1]}" for draw in draws]


@dataclass(frozen=True)
class Ran:
    """A finished run, what its journal holds, and how often the models were asked in this process."""

    result: gpo.Result
    calls: tuple[RecordedCall, ...]
    steps: Mapping[int, Any]
    asked: int

    def purposes(self) -> Counter[str]:
        """Optimizer calls by purpose."""
        return Counter(call.request.purpose for call in self.calls if call.role == "optimizer")

    def requests(self, purpose: str) -> list[RecordedCall]:
        return [call for call in self.calls if call.request.purpose == purpose]

    def texts(self, purpose: str) -> list[str]:
        """The last turn of every call of a purpose, in a fixed order."""
        return sorted(call.request.messages[-1].content for call in self.requests(purpose))

    def scored(self, prompt: str) -> int:
        """Dev and train rows that the task model was asked with `prompt`."""
        return sum(
            call.request.messages[-1].content.endswith(f"\n{prompt}")
            and "test number" not in call.request.messages[-1].content
            for call in self.requests("score")
        )


def run(
    method: str | Mapping[str, Any],
    run_dir: Path,
    *,
    optimizer: Any = None,
    data: gpo.Task | None = None,
    task_model: Any = answer,
    **settings: Any,
) -> Ran:
    asked = 0

    def counted(text: str) -> str:
        nonlocal asked
        asked += 1
        reply = task_model(text)
        assert isinstance(reply, str)
        return reply

    optimizer = optimizer or Optimizer()
    before = getattr(optimizer, "calls", 0)
    result = gpo.optimize(
        data or task(),
        prompt=START,
        models={"task": counted, "optimizer": optimizer},
        method=method,
        run_dir=run_dir,
        **settings,
    )
    with JournalReader(run_dir / "journal.sqlite") as reader:
        calls, steps = tuple(reader.calls()), reader.steps()
    return Ran(result, calls, steps, asked + getattr(optimizer, "calls", 0) - before)
