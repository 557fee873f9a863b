"""gpo+ as a method: its budget, from the configuration or from what a cap on calls leaves, and what it may ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gpo.config.plus import BUDGETS, PlusConfig
from gpo.config.schema import OptimizeConfig
from gpo.errors import ConfigError
from gpo.optimizer.calls import Calls, OptimizerCalls, PromptContent, RowUse, Sizes
from gpo.optimizer.candidates import Guard
from gpo.optimizer.plus.moves.demonstrations import MOST, can_show
from gpo.optimizer.plus.moves.reflection import FAILURES
from gpo.optimizer.plus.moves.shares import count_replies
from gpo.optimizer.plus.plan import LEAST, Schedule, plan_schedule, with_library
from gpo.optimizer.plus.search import PlusSearch
from gpo.optimizer.scale import Scale
from gpo.optimizer.search import Listener
from gpo.optimizer.workbench import Workbench
from gpo.task.task import Task

USUAL = BUDGETS["medium"]


@dataclass(frozen=True, slots=True)
class PlusMethod:
    """gpo+ with its settings, those of the meta-prompt and the edit limit (`optimize`), and `pairs` (prompt, row) that
    its search may ask for. `bootstraps`: of a program that has to be run before its rows can be shown."""

    settings: PlusConfig
    optimize: OptimizeConfig
    scale: Scale = "percent"
    pairs: int = USUAL
    bootstraps: bool = False
    surely_shown: bool = True
    """Whether demonstrations are shown wherever train has the rows: of a program its first runs tell."""

    @property
    def needs_readable_start(self) -> bool:
        """It has start prompts of its own."""
        return False

    @property
    def name(self) -> str:
        """As `result.json` has it."""
        return self.settings.name

    def fit_task(self, task: Task) -> PlusMethod:
        """Without demonstrations and without start prompts of its own for a system and a user prompt: nobody knows
        which of them worked examples belong to. Without demonstrations for several prompts of a program that does its
        own work: its calls, which would tell, are not seen."""
        if not task.parts:
            return self
        if task.program is None:
            return self._without("demonstrations", "library")
        if task.program.demonstrate is not None:
            if self.settings.demonstrations:
                return replace(self, bootstraps=True)
            return self._without("library")
        blind = bool(task.program.identity) and len(task.parts) > 1
        return replace(self._without("demonstrations") if blind else self, surely_shown=False)

    def fit_budget(
        self, task: Task, max_calls: int | None, *, test: int, key: str = "budget.max_calls"
    ) -> PlusMethod:
        """With as many pairs as `method.budget` names, and as `max_calls` of both models leave beside the initial and
        the best prompt on `test` rows and the optimizer model. Raises `ConfigError` where that is too few; `key` is
        what the cap is called."""
        rounds = 2 if task.asks_again else 1
        named = self.settings.task_calls
        if named is not None and named // rounds < LEAST:
            raise ConfigError(
                f"method.budget: {named} task calls are too few; gpo+ needs at least {LEAST * rounds}"
            )
        pairs = (USUAL if named is None else named) // rounds
        # How many calls a run of a program makes is not known: the budget itself ends the run then.
        counts = task.program is None or task.program.counts_calls
        if max_calls is not None and counts:
            left = self._count_left(task, max_calls, rounds, test, key)
            pairs = left if named is None else min(left, pairs)
        return replace(self, pairs=pairs)

    def open(self, bench: Workbench, guard: Guard, listener: Listener | None) -> PlusSearch:
        """A new search."""
        return PlusSearch(self.settings, self.pairs, bench, guard, self.optimize, self.scale, listener)

    def calls(self, sizes: Sizes) -> Calls:
        """Exactly its pairs at most; a step asks for candidates once, and once by reflection. The duel is on train as
        far as that has rows that are not shown as demonstrations."""
        shown = can_show(sizes.train, demonstrations=self.settings.demonstrations)
        fresh = sizes.train // 2 if shown else sizes.train
        plan = self._schedule(self.pairs, sizes.dev, fresh)
        train = min(plan.duel, plan.duellists * fresh)
        moved = shown and self.surely_shown
        replies = count_replies(plan.candidates, self.settings, demonstrations=moved)
        content = PromptContent(prompts=sizes.k, examples=self.optimize.task_examples)
        asked = [OptimizerCalls(plan.steps, replies, sizes.max_tokens, content)]
        if self.settings.reflection:
            failures = PromptContent(prompts=1, failures=FAILURES)
            asked.append(OptimizerCalls(plan.steps, 1, sizes.max_tokens, failures))
        return Calls(
            train=RowUse(pairs=train),
            dev=RowUse(pairs=self.pairs - train),
            optimizer=tuple(asked),
            prompt_tokens=sizes.max_tokens,
            demonstrations=MOST if shown else 0,
        )

    def _without(self, *components: str) -> PlusMethod:
        off = dict.fromkeys(components, False)
        return replace(self, settings=self.settings.model_copy(update=off))

    def _count_left(self, task: Task, max_calls: int, rounds: int, test: int, key: str) -> int:
        """Pairs for the search."""
        beside = 2 * test * rounds
        pairs = (max_calls - beside) // rounds
        while pairs >= LEAST and (over := self._all_calls(task, pairs, rounds) + beside - max_calls) > 0:
            pairs -= -(-over // (2 * rounds))
        if pairs < LEAST:
            least = self._all_calls(task, LEAST, rounds) + beside
            rest = f", {beside} of them for the test split" if beside else ""
            raise ConfigError(f"{key}: {max_calls} calls are too few; gpo+ needs at least {least}{rest}")
        return pairs

    def _all_calls(self, task: Task, pairs: int, rounds: int) -> int:
        train = len(task.splits.train)
        shown = can_show(train, demonstrations=self.settings.demonstrations and not task.demonstrations)
        plan = self._schedule(pairs, len(task.splits.dev), train)
        # A server that gives one reply at a time is asked once for each. One call tries the optimizer model beforehand.
        moved = shown and self.surely_shown
        replies = count_replies(plan.candidates, self.settings, demonstrations=moved)
        return pairs * rounds + plan.steps * replies + 1

    def _schedule(self, pairs: int, dev: int, fresh: int) -> Schedule:
        # With no library there are most steps, as without rows of train.
        found = plan_schedule(
            pairs,
            dev=dev,
            fresh=fresh,
            library=self.settings.library,
            duel=self.settings.duel,
            shown=fresh if self.bootstraps else 0,
        )
        return with_library(found, 2 if self.settings.library else 1)
