"""What a search for a better prompt is, whatever its algorithm: steps, records of them, and the best prompt so far.

Knows no algorithm. The four-part loop and the published protocols of the baselines are algorithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gpo.model.model import Message
from gpo.optimizer.candidates import Candidate
from gpo.optimizer.state import Information
from gpo.optimizer.trajectory import Shown


@dataclass(frozen=True, slots=True)
class StepRecord:
    """Everything that one step did; scores are dev means in 0..1. `scores` has one entry a candidate, None where it
    was rejected; `chosen` is the next current prompt, equal to `parent` where no new candidate was left.

    What an algorithm does not have is None or empty. `estimates` are means over a part of dev, one a candidate, of
    algorithms that score most candidates on a part only, and of racing; such a candidate has no entry in `scores`
    (None). `estimate_rows` tells on how many examples each rests, where that is known.
    """

    step: int
    total: int
    limit: int | None
    parent: str
    parent_score: float
    information: Information
    shown: Shown
    meta_prompt: tuple[Message, ...]
    candidates: tuple[Candidate, ...]
    scores: tuple[float | None, ...]
    chosen: str
    chosen_score: float
    best: str
    best_score: float
    estimates: tuple[float | None, ...] = ()
    estimate_rows: tuple[int | None, ...] = ()

    @property
    def scored(self) -> int:
        """Candidates that were run on dev, on the whole of it or on a part."""
        estimates = self.estimates or (None,) * len(self.scores)
        return sum(pair != (None, None) for pair in zip(self.scores, estimates, strict=True))


class Listener(Protocol):
    """Is told how a search goes on; must not change anything."""

    def step_started(self, step: int, total: int, limit: int | None, best_score: float) -> None:
        """Step `step` of `total` begins with the edit limit `limit`; `best_score` is the best dev mean so far."""

    def step_finished(self, record: StepRecord) -> None:
        """The step is over."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was found: the best prompt by dev score over the whole run, and every step."""

    initial: str
    best: str
    steps: tuple[StepRecord, ...]
    stopped: str


class Algorithm(Protocol):
    """One optimization of one initial prompt. `total` steps at most, each of about `pairs_a_step` (prompt, example)
    pairs to score."""

    @property
    def total(self) -> int:
        """The number of steps if nothing stops it."""

    @property
    def pairs_a_step(self) -> int:
        """About how many (prompt, example) pairs a step scores, for the progress display."""

    @property
    def steps(self) -> Sequence[StepRecord]:
        """The steps that are over."""

    @property
    def best(self) -> str:
        """The best prompt by full dev score so far; among equals the one that was scored first."""

    def mean(self, prompt: str) -> float:
        """Dev score in 0..1 of a prompt that was scored on the whole of dev."""

    async def run(self, initial: str) -> Search:
        """Optimize from `initial`. Raises what the models raise; `best` is valid from the first score on."""
