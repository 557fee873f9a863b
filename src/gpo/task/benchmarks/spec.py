"""What there is to know of a benchmark before its rows are here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]
"""One row as its home gives it."""
Rows = list[dict[str, Any]]
"""Rows as GPO reads them: {"input": str, "target": str, number or list of references}."""

PAPER_ROUNDS = 2
"""The paper asks chat models for the bare answer in a second turn; a benchmark of free texts has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A data set on the Hugging Face hub: `parts` are the splits of it that are read."""

    repo: str
    config: str | None
    revision: str
    parts: tuple[str, ...]

    @property
    def pinned(self) -> bool:
        """Whether the revision is one commit and not a branch, which can move."""
        return len(self.revision) == 40

    def __str__(self) -> str:
        where = f"{self.repo} ({self.config})" if self.config else self.repo
        return f"{where} at {self.revision[:12] if self.pinned else self.revision + ', not pinned'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One task of a benchmark.

    `answer` and `metric` are keys of the configuration's `task` section; `sizes` the paper's rows a split; `divide`
    turns the parts of its home into splits of those sizes, always the same ones. `note` is what a user must know.
    """

    name: str
    description: str
    answer: Mapping[str, Any]
    metric: str
    sizes: Mapping[str, int]
    home: Home
    licence: str
    divide: Callable[[Mapping[str, Sequence[Record]]], dict[str, Rows]]
    allow_overlap: bool = False
    note: str = ""

    def defaults(self) -> dict[str, Any]:
        """Keys of the `task` section that hold where the user sets none."""
        return {
            "answer": {**self.answer, "rounds": self.answer.get("rounds", PAPER_ROUNDS)},
            "metric": self.metric,
            "allow_overlap": self.allow_overlap,
        }
