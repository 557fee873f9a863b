"""The search of gpo+: a library of starts, steps of a few candidates each, and a last duel.

    current = the best start prompt
    each step: candidates by every move → all on a few telling rows → the two best on more → current = the best of them
    at the end: the best of the whole run on rows that none of them has met

Without elitism, as in the paper: the next current prompt is the best candidate and not the best of all, until four
steps brought no new best. Scores are posterior means (`estimates`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gpo.config.plus import PlusConfig
from gpo.config.schema import OptimizeConfig
from gpo.optimizer.candidates import Guard
from gpo.optimizer.coordinates.choice import choose_part
from gpo.optimizer.metaprompt import MetaPromptSettings
from gpo.optimizer.parts.edit_distance import Cosine, EditDistance
from gpo.optimizer.plus.account import Account
from gpo.optimizer.plus.contest import hold, pick
from gpo.optimizer.plus.duel import BLOCK, choose_answer, duel, tell_few_fresh
from gpo.optimizer.plus.material import SearchMaterial, gather
from gpo.optimizer.plus.moves.bootstrap import bootstrap
from gpo.optimizer.plus.moves.demonstrations import Shown, deal
from gpo.optimizer.plus.moves.propose import CandidateSource, Parent, Proposed, Proposer
from gpo.optimizer.plus.moves.trust_region import TrustRegion
from gpo.optimizer.plus.plan import plan_schedule, with_library
from gpo.optimizer.plus.rows import order_rows
from gpo.optimizer.plus.standing import Standing
from gpo.optimizer.plus.table import Entry, ScoreTable, list_table_rows
from gpo.optimizer.plus.view import PoolView
from gpo.optimizer.scale import Scale
from gpo.optimizer.search import Listener, ScoredCandidate, StepRecord
from gpo.optimizer.skeleton import StepSearch
from gpo.optimizer.state import Step, Visited
from gpo.optimizer.workbench import Workbench
from gpo.task.demonstrations import split_named

PATIENCE = 4
"""Steps without a new best, after which the best of all is the current prompt again."""


class PlusSearch(StepSearch):
    """One search of `pairs` (prompt, row) pairs at most."""

    def __init__(
        self,
        settings: PlusConfig,
        pairs: int,
        bench: Workbench,
        guard: Guard,
        optimize: OptimizeConfig,
        scale: Scale,
        listener: Listener | None,
    ) -> None:
        task = bench.task
        dealt = deal(task, guard.initial, bench.rng(0, "deal"), demonstrations=settings.demonstrations)
        dev = len(task.splits.dev)
        plan = plan_schedule(
            pairs,
            dev=dev,
            fresh=len(dealt.fresh),
            library=settings.library,
            duel=settings.duel,
            shown=len(dealt.rows),
        )
        # What a program begins with is not known yet: at the least its prompts without and with demonstrations.
        self.plan = with_library(plan, 2) if dealt.rows else plan
        super().__init__(
            bench,
            guard,
            listener,
            total=settings.library + self.plan.steps + settings.duel,
            pairs_a_step=self.plan.step_pairs,
        )
        self.settings = settings
        self.dealt = dealt
        self.table = ScoreTable(bench.scorer, list_table_rows(task, dealt.fresh), pairs - self.plan.duel)
        self.material = SearchMaterial()
        self.standing = Standing(self.table, posterior=settings.posterior)
        self.moves: dict[str, Counter[str]] = {}
        self.starts: dict[int, str] = {}
        self.view = PoolView(self.table, self.standing, self.starts)
        self._dev = dev
        self._coordinate = optimize.coordinate
        self._current, self._stale = 0, 0
        self._answer: int | None = None
        self._said = dealt.warnings
        if settings.duel and len(dealt.fresh) < BLOCK:
            self._said += (tell_few_fresh(len(dealt.fresh)),)
        words = optimize.edit_distance
        region = TrustRegion if settings.trust_region else Cosine
        self._limits: EditDistance = region(words.initial, words.final)
        self.proposer: CandidateSource = Proposer(
            bench,
            guard,
            settings,
            k=optimize.k,
            enforce=words.control == "enforce",
            meta_prompt=MetaPromptSettings(optimize.task_examples, scale, optimize.frozen),
            material=self.material,
            rank=(lambda entry: self.standing.signal().predict(entry)) if settings.signal else None,
        )

    # What a search says of itself

    @property
    def best(self) -> str:
        """The answer once it is chosen, before that the best prompt by the estimates; none that only guesses."""
        number = self.standing.leader if self._answer is None else self._answer
        return self.table.entries[number].prompt

    def knows(self, prompt: str) -> bool:
        """Whether anything was asked of it."""
        number = self.table.find(prompt)
        return number is not None and self.table.met(number) > 0

    def mean(self, prompt: str) -> float:
        """The estimate of the dev score in 0..1 of a prompt of the pool."""
        number = self.table.find(prompt)
        assert number is not None, "not a prompt of this search"
        return self.standing.estimates.mean(number)

    @property
    def told(self) -> Mapping[str, object]:
        """What `result.json` has under `gpo+`."""
        return {"gpo+": self._account().numbers()} if self.steps else {}

    @property
    def warnings(self) -> Sequence[str]:
        """What a person should know of how it went."""
        return self._account().lines() if self.steps else ()

    # Steps

    async def _begin(self, initial: str) -> None:
        pool = await self._bootstrap(initial) if self.dealt.rows else self.dealt.shown
        words, demonstrations = split_named(initial, self.bench.task.parts)
        self._current = self.table.add(Entry(words, demonstrations))
        self._start(self._current, "start")
        rows = self.plan.first_round if self.settings.library else self.plan.finalist_rows
        await self.table.ask([self._current], self._order(0)[:rows])
        first = [*self.table.outcomes(self._current).values()]
        self.material = self.proposer.material = gather(
            self.bench, self.guard, self.settings, pool=pool, first=first
        )
        self.plan = with_library(self.plan, max(1, len(self.material.starts)))
        self.total = self.settings.library + self.plan.steps + self.settings.duel
        self._visit(initial, 0)

    async def _bootstrap(self, initial: str) -> Shown:
        """Find out what can be shown of a program."""
        task = self.bench.task
        found = await bootstrap(task, self.bench.scorer, initial, self.dealt.rows, self.plan.bootstrapped)
        self.table.left -= found.run
        self._said += found.check(wanted="demonstrations" in self.settings.model_fields_set)
        return found.shown

    async def _step(self, number: int, limit: int | None) -> StepRecord:
        if number == 0 and self.settings.library:
            return await self._screen(number)
        if number == self.total - 1 and self.settings.duel:
            return await self._last_duel(number)
        return await self._climb(number, limit)

    def _limit(self, number: int) -> int | None:
        step = number - self.settings.library
        return self._limits.limit(step, self.plan.steps) if 0 <= step < self.plan.steps else None

    def _plateau(self) -> str | None:
        return None  # the plan says when it is over

    async def _screen(self, number: int) -> StepRecord:
        """The library: all on a few rows, the two best on more."""
        parent = self.view.point(self._current)
        entries = [self._current]
        for start in self.material.starts[: self.plan.screened]:
            entry = Entry(start.words, start.demonstrations)
            entries.append(self.table.add(entry))
            self._start(entries[-1], start.name)
        entries = list(dict.fromkeys(entries))
        order = self._order(0)
        await hold(self.table, self.standing, entries, order, self.plan)
        await self._settle(entries, order)
        shown = [self.view.entry_as_candidate(entry, parent.prompt) for entry in entries[1:]]
        return self._step_record(number, parent, shown)

    async def _climb(self, number: int, limit: int | None) -> StepRecord:
        """One step of the search."""
        self.part = choose_part(self.bench.task.parts, self._coordinate, self.steps)
        parent = self.view.point(self._current)
        if self.table.left < self.plan.candidates:
            return self._step_record(number, parent, [])
        before = self._current
        proposed = await self._propose(number, limit)
        entries = [self.table.add(draft.entry) for draft in proposed.drafts if draft.entry is not None]
        order = self._order(number)
        finalists = await hold(self.table, self.standing, entries, order, self.plan)
        self._count(entries, finalists)
        leader = self.standing.leader
        self._stale = 0 if leader in entries else self._stale + 1
        if self._stale < PATIENCE:
            await self._settle(entries, order)
        else:
            await self._settle(self.standing.eligible(), order)
            self._stale = 0
        if isinstance(self._limits, TrustRegion):
            theta = self.standing.estimates.theta
            self._limits.note(better=bool(theta[self._current] > theta[before]))
        drafted = [self.view.candidate(draft.candidate) for draft in proposed.drafts]
        return self._step_record(number, parent, drafted, limit=limit, proposed=proposed)

    async def _last_duel(self, number: int) -> StepRecord:
        """The best of the whole run meet rows that none of them has met; the answer is chosen."""
        self.part = None
        parent = self.view.point(self._current)
        self.table.left += self.plan.duel
        rng = self.bench.rng(number, "duel")
        took_part = await duel(
            self.table, lambda: self.standing.estimates, self.standing.eligible, self.plan.duellists, rng
        )
        able = self.standing.able(took_part) or [self.standing.leader]
        self._answer = self._current = choose_answer(self.table, self.standing.estimates, able)
        shown = [self.view.entry_as_candidate(entry, parent.prompt) for entry in took_part]
        return self._step_record(number, parent, shown)

    async def _propose(self, number: int, limit: int | None) -> Proposed:
        visited = [
            replace(self.view.point(entry), step=step, prompt=self.table.entries[entry].words)
            for step, entry in enumerate(self.view.path(self.visited, self._current))
        ]
        step = Step(number, self.total, tuple(visited), self.bench, self.part)
        outcomes = self.table.outcomes(self._current)
        known = [outcomes[row] for row in sorted(outcomes) if self.table.rows[row].split == "dev"]
        parent = Parent(
            entry=self.table.entries[self._current],
            number=self._current,
            outcomes=self.bench.rng(number, "failures").sample(known, len(known)),
        )
        return await self.proposer.propose(step, parent, limit, self.plan.candidates)

    async def _settle(self, entries: Sequence[int], order: Sequence[int]) -> None:
        """The best of `entries` becomes the current prompt; where all only guess, and so does the current one, the best
        of all does."""
        best = await pick(self.table, self.standing, entries, order)
        if best is not None:
            self._current = best
        elif self.standing.guesses(self._current):
            self._current = self.standing.leader

    # Small helps

    def _order(self, number: int) -> list[int]:
        """The rows of dev in the order of asking at a step."""
        information = None
        if self.settings.discriminative and number:
            information = self.standing.estimates.information(self.standing.leader)[: self._dev].tolist()
        labels = [row.label for row in self.table.rows[: self._dev]]
        return order_rows(labels, information, self.bench.rng(number, "rows"))

    def _start(self, number: int, name: str) -> None:
        self.proposer.know(self.table.entries[number])
        self.starts.setdefault(number, name)

    def _count(self, entries: Sequence[int], finalists: Sequence[int]) -> None:
        for entry in entries:
            move, won = self.table.entries[entry].move, entry in finalists
            self.moves.setdefault(move, Counter()).update(tried=1, finalists=int(won))
            if trial := self.proposer.trials.get(move):
                trial.note(won=won)

    def _step_record(
        self,
        number: int,
        parent: Visited,
        candidates: Sequence[ScoredCandidate],
        *,
        limit: int | None = None,
        proposed: Proposed | None = None,
    ) -> StepRecord:
        chosen = self.table.entries[self._current].prompt
        parent = replace(parent, score=self.mean(parent.prompt))
        return self._record(
            number,
            parent,
            candidates,
            chosen,
            limit=limit,
            shown=proposed.shown if proposed else None,
            meta_prompt=proposed.meta_prompt if proposed else (),
            estimated=True,
        )

    def _account(self) -> Account:
        return Account(
            table=self.table,
            estimates=self.standing.estimates,
            plan=self.plan,
            starts=self.starts,
            moves=self.moves,
            guessing=self.standing.guessing,
            leader=self.standing.leader if self._answer is None else self._answer,
            replies=self.proposer.replies,
            unusable=self.proposer.unusable,
            estimated_by=self.standing.estimated_by,
            signal=self.standing.signal() if self.settings.signal else None,
            said=[*self._said, *self.material.warnings, *self.proposer.warnings],
        )
