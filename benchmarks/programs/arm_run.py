"""What an arm is given: the student, rows, models at addresses that count, calls and seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dspy

from benchmarks.proof.endpoint import Endpoint
from benchmarks.proof.proxy import CountingProxy

REPLY_TOKENS, WRITER_TOKENS = 80, 240
"""Of a reply of the program, and of the model that writes instructions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A model: its name at `endpoint`, behind the proxy that counts its calls."""

    endpoint: Endpoint
    proxy: CountingProxy

    def lm(self, run: str, role: str, *, temperature: float, max_tokens: int) -> Any:
        """A `dspy.LM` whose calls are counted as those of `role` in `run`; it keeps nothing and tries nothing twice."""
        return dspy.LM(
            f"openai/{self.endpoint.model.removeprefix('local/')}",
            api_base=self.proxy.url(run, role),
            api_key="none",
            cache=False,
            num_retries=0,
            temperature=temperature,
            max_tokens=max_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRun:
    """One run of an arm: at most `calls` calls of the program's model while it searches."""

    name: str
    student: Any
    train: list[Any]
    val: list[Any]
    test: list[Any]
    program_model: Served
    writer_model: Served
    calls: int
    seed: int

    @property
    def lm(self) -> Any:
        """What the program runs with during the search."""
        return self.program_model.lm(self.name, "task", temperature=0.0, max_tokens=REPLY_TOKENS)

    @property
    def writer(self) -> Any:
        """What writes new instructions."""
        return self.writer_model.lm(self.name, "optimizer", temperature=1.0, max_tokens=WRITER_TOKENS)

    @property
    def test_lm(self) -> Any:
        """What the program runs with on the held-out rows."""
        return self.program_model.lm(self.name, "test", temperature=0.0, max_tokens=REPLY_TOKENS)

    @property
    def runs(self) -> int:
        """Runs of the program that the calls cover, each predictor once."""
        return self.calls // len(self.student.predictors())

    @property
    def spent(self) -> int:
        """Calls of the search so far."""
        return self.program_model.proxy.used(self.name, "task").calls


@dataclass(frozen=True, slots=True)
class Found:
    """The program that an arm returns, and what is told of its search."""

    program: Any
    notes: Mapping[str, Any] = field(default_factory=dict)
