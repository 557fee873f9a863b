"""What a search for a better prompt is, whatever its method: steps, records of them, and the best prompt so far.

`gpo.optimizer.skeleton` is what the four-part loop and the published protocols have in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gpo.model.model import Message
from gpo.optimizer.calls import Calls, Sizes
from gpo.optimizer.candidates import Candidate, Guard
from gpo.optimizer.parts.trajectory import Shown
from gpo.optimizer.state import Information
from gpo.optimizer.workbench import Workbench


@dataclass(frozen=True, slots=True)
class ScoredCandidate(Candidate):
    """A candidate and what dev said of it, in 0..1.

    `score` is the mean over the whole of dev, None where it was rejected or not scored there. `estimate` is the mean
    over a part of dev, of methods that score most candidates on a part only, and of racing; `estimate_rows` tells on
    how many examples it rests, where that is known.
    """

    score: float | None = None
    estimate: float | None = None
    estimate_rows: int | None = None


@dataclass(frozen=True, slots=True)
class StepRecord:
    """Everything that one step did; scores are dev means in 0..1. `chosen` is the next current prompt, equal to
    `parent` where no new candidate was left. What a method does not have is None or empty. `estimated` says that
    the step estimated its candidates on a part of dev, those included that got no estimate. `part` names the one of
    several prompts that it changed."""

    step: int
    total: int
    limit: int | None
    parent: str
    parent_score: float
    information: Information
    shown: Shown
    meta_prompt: tuple[Message, ...]
    candidates: tuple[ScoredCandidate, ...]
    chosen: str
    chosen_score: float
    best: str
    best_score: float
    estimated: bool = False
    part: str | None = None

    @property
    def gain(self) -> float:
        """How much better the next current prompt is than the one that the step began with, on dev."""
        return self.chosen_score - self.parent_score

    @property
    def scored(self) -> int:
        """Candidates that were run on dev, on the whole of it or on a part."""
        return sum((item.score, item.estimate) != (None, None) for item in self.candidates)


class Listener(Protocol):
    """Is told how a search goes on; must not change anything, but an error that it raises ends the search."""

    def step_started(self, step: int, total: int, limit: int | None, best_score: float) -> None:
        """Step `step` of `total` begins with the edit limit `limit`; `best_score` is the best dev mean so far."""

    def step_finished(self, record: StepRecord) -> None:
        """The step is over."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What was found: the best prompt by dev score over the whole run, and every step."""

    initial: str
    best: str
    steps: tuple[StepRecord, ...]
    stopped: str


class Search(Protocol):
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

    @property
    def told(self) -> Mapping[str, object]:
        """What `result.json` says of the search beside the contract, JSON values by their keys."""

    @property
    def warnings(self) -> Sequence[str]:
        """Lines for a person about how the search went."""

    def knows(self, prompt: str) -> bool:
        """Whether `mean` can say anything of `prompt`."""

    def mean(self, prompt: str) -> float:
        """Dev score in 0..1 of a prompt that was scored on the whole of dev, or an estimate of it (gpo+)."""

    async def run(self, initial: str) -> SearchResult:
        """Optimize from `initial`. Raises what the models raise; `best` is valid from the first score on."""


class SearchMethod(Protocol):
    """A method that brings a search of its own, where a `Method` of four parts runs in the loop.

    `needs_readable_start`: all that it tries comes from the initial prompt, so a run ends before its first step where
    no reply to that prompt can be read. False for a method with start prompts of its own, and for one without steps.
    """

    @property
    def name(self) -> str:
        """As `result.json` has it."""

    @property
    def needs_readable_start(self) -> bool:
        """See above."""

    def open(self, bench: Workbench, guard: Guard, listener: Listener | None) -> Search:
        """A new search."""

    def calls(self, sizes: Sizes) -> Calls:
        """What its search may ask for."""
