"""Equal budgets: a search that ends at the last step that it could finish within the calls or tokens of its suite.

Unlike `gpo.run.layers.budget` it counts what a search asks for, answered by a model, a store or a journal alike (see
`gpo.suites.execution.meter`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from gpo.errors import ConfigError
from gpo.model.factory import RoleName
from gpo.model.layers.complete_n import CompleteNModel
from gpo.optimizer.plus.method import PlusMethod
from gpo.optimizer.search import Listener, Search, SearchResult, StepRecord
from gpo.optimizer.workbench import Workbench
from gpo.run.compose import RoleModel
from gpo.run.plan import BuildSearch, Plan
from gpo.suites.execution.meter import Cap, Meter, UsedUp
from gpo.suites.execution.metered_models import MeteredModel, MeteredScorer

__all__ = ["Cap", "cap_plan"]

STOPPED = "the equal budget is used up"


def cap_plan(plan: Plan, cap: Cap) -> Plan:
    """`plan` under `cap`."""
    if isinstance(plan.method, PlusMethod):
        plan = replace(plan, method=plan.method.fit_budget(plan.task, cap.max_calls, test=0, key="budget"))
    recorded = {**plan.recorded, "equal_budget": {"calls": cap.max_calls, "tokens": cap.max_tokens}}
    return replace(plan, search=partial(_build, plan.search, cap), recorded=recorded)


def _build(
    inner: BuildSearch,
    cap: Cap,
    plan: Plan,
    models: Mapping[RoleName, RoleModel],
    bench: Workbench,
    listener: Listener | None,
) -> Search:
    optimizer = models["optimizer"].journaled
    judge = models["judge"].journaled if "judge" in models else None
    meter = Meter(cap, models["task"].journaled, optimizer, judge)
    metered = replace(
        bench,
        scorer=MeteredScorer(bench.scorer, meter),
        optimizer=CompleteNModel(MeteredModel(optimizer, meter)),
    )
    steps = _Steps(meter, listener)
    return _Capped(inner(plan, models, metered, steps), steps, cap)


class _Steps:
    """Tells the meter where steps begin, and passes on."""

    def __init__(self, meter: Meter, listener: Listener | None) -> None:
        self.meter = meter
        self.opened = False
        self._listener = listener

    def step_started(self, step: int, total: int, limit: int | None, best_score: float) -> None:
        """Raises `ConfigError` where tokens cannot be counted."""
        self.opened = True
        self.meter.step_started()
        if self._listener:
            self._listener.step_started(step, total, limit, best_score)

    def step_finished(self, record: StepRecord) -> None:
        """Passed on."""
        if self._listener:
            self._listener.step_finished(record)


class _Capped:
    """The search of `inner` until its meter stops it; a step that was open then is as if it had never begun."""

    def __init__(self, inner: Search, steps: _Steps, cap: Cap) -> None:
        self._inner = inner
        self._opened = steps
        self._cap = cap
        self._kept: str | None = None

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
        return self._inner.best if self._kept is None else self._kept

    @property
    def told(self) -> Mapping[str, object]:
        """What the search says of itself."""
        return self._inner.told

    @property
    def warnings(self) -> Sequence[str]:
        """What the search warns of."""
        return self._inner.warnings

    def knows(self, prompt: str) -> bool:
        """Whether `mean` can say anything of `prompt`."""
        return self._inner.knows(prompt)

    def mean(self, prompt: str) -> float:
        """Dev score in 0..1."""
        return self._inner.mean(prompt)

    async def run(self, initial: str) -> SearchResult:
        """Optimize until the end or the cap. Raises what the models raise, and `ConfigError` where the cap does not
        even cover the start prompt."""
        try:
            return await self._inner.run(initial)
        except UsedUp:
            if not self._opened.opened:
                raise ConfigError(self._too_small()) from None
            self._kept = self.steps[-1].best if self.steps else initial
            return SearchResult(initial, self._kept, tuple(self.steps), STOPPED)

    def _too_small(self) -> str:
        caps = {"max_calls": self._cap.max_calls, "max_tokens": self._cap.max_tokens}
        told = " and ".join(f"{name} {value:,}" for name, value in caps.items() if value is not None)
        return f"budget: an equal budget of {told} does not cover scoring the start prompt on dev; raise it"
