"""Equal budgets: a search that ends when it has asked for as many calls or tokens as every other of its suite may.

Unlike `gpo.run.budget` it counts what a search asks for, answered by a model, a store or a journal alike: so where a
method stops depends neither on what others happened to ask before nor on interruptions. Knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from gpo.optimizer.algorithms import Published, algorithm
from gpo.optimizer.candidates import Guard
from gpo.optimizer.loop import LoopSettings
from gpo.optimizer.methods import Method
from gpo.optimizer.search import Algorithm, Listener, Search, StepRecord
from gpo.optimizer.workbench import Workbench
from gpo.run.plan import Plan
from gpo.run.progress import Progress

STOPPED = "the equal budget is used up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """The most that one search may ask for, both models together; None is no cap. The sealed test is not counted: it is
    the same for every method."""

    max_calls: int | None = None
    max_tokens: int | None = None

    def __bool__(self) -> bool:
        return self.max_calls is not None or self.max_tokens is not None


def capped(plan: Plan, cap: Cap, progress: Progress) -> Plan:
    """`plan` under `cap`; `progress` must be that of its run. A method without steps is left as it is."""
    build = partial(_build, plan.method, plan.loop, cap, progress)
    recorded = {**plan.recorded, "equal_budget": {"calls": cap.max_calls, "tokens": cap.max_tokens}}
    return replace(plan, method=Published(plan.method.name, build), recorded=recorded)


def _build(
    method: Method | Published,
    settings: LoopSettings,
    cap: Cap,
    progress: Progress,
    bench: Workbench,
    guard: Guard,
    listener: Listener | None,
) -> Algorithm:
    gate = _Gate(cap, progress, listener)
    inner = algorithm(method, bench, guard, settings, gate)
    gate.first = inner.pairs_a_step * (bench.task.rounds if bench.task.chat else 1)
    return _Capped(inner)


class _UsedUp(Exception):
    """The next step would not fit."""


@dataclass
class _Gate:
    """Lets a step begin only where the cap covers one as large as the largest so far, so that no call is paid for a
    step that is not finished. `first` is how many calls the first one is expected to ask for."""

    cap: Cap
    progress: Progress
    listener: Listener | None
    first: int = 0
    _largest: tuple[int, int] | None = None
    _before: tuple[int, int] | None = None

    def step_started(self, step: int, total: int, limit: int | None, best_score: float) -> None:
        """Raises `_UsedUp`."""
        asked = (
            self.progress.calls + self.progress.cached,
            self.progress.tokens + self.progress.saved_tokens,
        )
        if self._before is not None:
            calls, tokens = (now - then for now, then in zip(asked, self._before, strict=True))
            known = self._largest or (0, 0)
            self._largest = (max(known[0], calls), max(known[1], tokens))
        self._before = asked
        expected = self._largest or (self.first, 0)
        caps = (self.cap.max_calls, self.cap.max_tokens)
        for cap, have, more in zip(caps, asked, expected, strict=True):
            if cap is not None and have + more > cap:
                raise _UsedUp
        if self.listener:
            self.listener.step_started(step, total, limit, best_score)

    def step_finished(self, record: StepRecord) -> None:
        """Passed on."""
        if self.listener:
            self.listener.step_finished(record)


class _Capped:
    """The search of `inner` until its gate closes."""

    def __init__(self, inner: Algorithm) -> None:
        self._inner = inner

    @property
    def total(self) -> int:
        """The number of steps if nothing stops it."""
        return self._inner.total

    @property
    def pairs_a_step(self) -> int:
        """About how many pairs a step scores."""
        return self._inner.pairs_a_step

    @property
    def steps(self) -> Sequence[StepRecord]:
        """The steps that are over."""
        return self._inner.steps

    @property
    def best(self) -> str:
        """The best prompt so far."""
        return self._inner.best

    def mean(self, prompt: str) -> float:
        """Dev score in 0..1."""
        return self._inner.mean(prompt)

    async def run(self, initial: str) -> Search:
        """Optimize until the end or the cap. Raises what the models raise."""
        try:
            return await self._inner.run(initial)
        except _UsedUp:
            return Search(initial, self.best, tuple(self.steps), STOPPED)
