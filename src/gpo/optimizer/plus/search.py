"""The search of gpo+: a library of starts, steps of a few candidates each, and a last duel.

    current = the best start prompt
    each step: candidates by every move → all on a few telling rows → the two best on more → current = the best of them
    at the end: the best of the whole run on rows that none of them has met

Without elitism, as in the paper: the next current prompt is the best candidate and not the best of all, until four
steps brought no new best. Scores are posterior means (`estimates`). Knows no call and no budget but the plan's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gpo.config.plus import PlusConfig
from gpo.config.schema import OptimizeConfig
from gpo.optimizer.candidates import Candidate, Guard
from gpo.optimizer.metaprompt import MetaPromptSettings
from gpo.optimizer.parts.edit_distance import Cosine, EditDistance
from gpo.optimizer.plus import library as starts
from gpo.optimizer.plus.account import Account
from gpo.optimizer.plus.demonstrations import deal, draw_balanced
from gpo.optimizer.plus.duel import best_of, choose_answer, duel
from gpo.optimizer.plus.estimates import Estimates, posterior_estimates, raw_estimates
from gpo.optimizer.plus.guessing import LEAST_ROWS, is_guessing
from gpo.optimizer.plus.plan import FINALISTS, schedule, with_library
from gpo.optimizer.plus.propose import Parent, Proposed, Proposer
from gpo.optimizer.plus.rows import order_rows
from gpo.optimizer.plus.signal import Signal, find_signal
from gpo.optimizer.plus.table import Entry, Row, Table
from gpo.optimizer.plus.trust_region import TrustRegion
from gpo.optimizer.scale import Scale
from gpo.optimizer.search import Listener, ScoredCandidate, StepRecord
from gpo.optimizer.skeleton import StepSearch, add_score
from gpo.optimizer.state import Information, Step, Visited
from gpo.optimizer.workbench import Workbench
from gpo.task.demonstrations import split_prompt

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
        first = draw_balanced(dealt.shown, bench.rng(0, "demonstrations"))
        tokens = bench.scorer.settings.max_tokens
        found = starts.library(task, guard.initial, tokens, guard, first) if settings.library else []
        dev = len(task.splits.dev)
        plan = schedule(pairs, dev=dev, fresh=len(dealt.fresh), library=settings.library, duel=settings.duel)
        self.plan = with_library(plan, max(1, len(found)))
        super().__init__(
            bench,
            guard,
            listener,
            total=settings.library + self.plan.steps + settings.duel,
            pairs_a_step=self.plan.step_pairs,
        )
        self.settings = settings
        self.dealt = dealt
        self.table = Table(
            bench.scorer,
            [
                *(Row("dev", example, task.target_text(example)) for example in task.splits.dev),
                *(Row("train", example, task.target_text(example)) for example in dealt.fresh),
            ],
            pairs - self.plan.duel,
        )
        self.moves: dict[str, Counter[str]] = {}
        self.starts: dict[int, str] = {}
        self._library = found[: self.plan.screened]
        self._dev = dev
        self._current, self._stale = 0, 0
        self._answer: int | None = None
        self._said = dealt.warnings
        self._fitted: tuple[tuple[int, int], Estimates] | None = None
        words = optimize.edit_distance
        self._limits: EditDistance = (
            TrustRegion(words.initial, words.final)
            if settings.trust_region
            else Cosine(words.initial, words.final)
        )
        self.proposer = Proposer(
            bench,
            guard,
            settings,
            k=optimize.k,
            enforce=words.control == "enforce",
            meta_prompt=MetaPromptSettings(optimize.task_examples, scale, optimize.frozen),
            pool=dealt.shown,
            clauses=starts.clauses(task, tokens),
            rank=self._predict if settings.signal else None,
        )

    # What a search says of itself

    @property
    def best(self) -> str:
        """The answer once it is chosen, before that the best prompt by the estimates; none that only guesses."""
        number = self._leader() if self._answer is None else self._answer
        return self.table.entries[number].prompt

    def knows(self, prompt: str) -> bool:
        """Whether anything was asked of it."""
        number = self.table.find(prompt)
        return number is not None and self.table.met(number) > 0

    def mean(self, prompt: str) -> float:
        """The estimate of the dev score in 0..1 of a prompt of the pool."""
        number = self.table.find(prompt)
        assert number is not None, "not a prompt of this search"
        return self.estimates.mean(number)

    @property
    def told(self) -> Mapping[str, object]:
        """What `result.json` has under `gpo+`."""
        return {"gpo+": self._account().numbers()} if self.steps else {}

    @property
    def warnings(self) -> Sequence[str]:
        """What a person should know of how it went."""
        return self._account().lines() if self.steps else ()

    @property
    def estimates(self) -> Estimates:
        """What is believed now."""
        key = (len(self.table.entries), self.table.asked)
        if self._fitted is None or self._fitted[0] != key:
            scores = self.table.scores()
            found = posterior_estimates(scores) if self.settings.posterior else raw_estimates(scores)
            self._fitted = key, found
        return self._fitted[1]

    def guesses(self, number: int, least: int = LEAST_ROWS) -> bool:
        """Whether a prompt was seen to say nearly always the same, on at least so many rows."""
        outcomes = self.table.outcomes(number)
        return is_guessing(outcomes.values(), [self.table.rows[row].label for row in outcomes], least)

    # Steps

    async def _begin(self, initial: str) -> None:
        words, demonstrations = split_prompt(initial)
        self._current = self.table.add(Entry(words, demonstrations))
        self._start(self._current, "start")
        rows = self.plan.first_round if self.settings.library else self.plan.finalist_rows
        await self.table.ask([self._current], self._order(0)[:rows])
        self._visit(initial, 0)

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
        parent = self._visited(self._current)
        entries = [self._current]
        for start in self._library:
            entry = Entry(start.words, start.demonstrations)
            entries.append(self.table.add(entry))
            self._start(entries[-1], start.name)
        entries = list(dict.fromkeys(entries))
        order = self._order(0)
        await self._contest(entries, order, self.plan.screened_rows)
        await self._settle(entries, order)
        shown = [self._as_candidate(entry, parent.prompt) for entry in entries[1:]]
        return self._step_record(number, parent, shown)

    async def _climb(self, number: int, limit: int | None) -> StepRecord:
        """One step of the search."""
        parent = self._visited(self._current)
        if self.table.left < self.plan.candidates:
            return self._step_record(number, parent, [])
        before = self._current
        proposed = await self._propose(number, limit)
        entries = [self.table.add(draft.entry) for draft in proposed.drafts if draft.entry is not None]
        order = self._order(number)
        finalists = await self._contest(entries, order, self.plan.finalist_rows)
        self._count(entries, finalists)
        leader = self._leader()
        self._stale = 0 if leader in entries else self._stale + 1
        if self._stale < PATIENCE:
            await self._settle(entries, order)
        else:
            await self._settle(self._eligible(), order)
            self._stale = 0
        if isinstance(self._limits, TrustRegion):
            theta = self.estimates.theta
            self._limits.note(better=bool(theta[self._current] > theta[before]))
        drafted = [self._drafted(draft.candidate) for draft in proposed.drafts]
        return self._step_record(number, parent, drafted, limit=limit, proposed=proposed)

    async def _last_duel(self, number: int) -> StepRecord:
        """The best of the whole run meet rows that none of them has met; the answer is chosen."""
        parent = self._visited(self._current)
        self.table.left += self.plan.duel
        rng = self.bench.rng(number, "duel")
        took_part = await duel(self.table, lambda: self.estimates, self._eligible, self.plan.duellists, rng)
        standing = [entry for entry in took_part if not self.guesses(entry)] or [self._leader()]
        self._answer = self._current = choose_answer(self.table, self.estimates, standing)
        shown = [self._as_candidate(entry, parent.prompt) for entry in took_part]
        return self._step_record(number, parent, shown)

    async def _propose(self, number: int, limit: int | None) -> Proposed:
        visited = [
            replace(self._visited(entry), step=step, prompt=self.table.entries[entry].words)
            for step, entry in enumerate(self._path())
        ]
        step = Step(number, self.total, tuple(visited), self.bench)
        outcomes = self.table.outcomes(self._current)
        known = [outcomes[row] for row in sorted(outcomes) if self.table.rows[row].split == "dev"]
        parent = Parent(
            entry=self.table.entries[self._current],
            number=self._current,
            outcomes=self.bench.rng(number, "failures").sample(known, len(known)),
        )
        return await self.proposer.propose(step, parent, limit, self.plan.candidates)

    async def _contest(self, entries: Sequence[int], order: Sequence[int], rows: int) -> list[int]:
        """All `entries` on the first rows of `order`, and the two best on `rows`; returns these two."""
        await self.table.ask(entries, order[: self.plan.first_round])
        finalists = best_of(self.estimates, [entry for entry in entries if self.table.met(entry)], FINALISTS)
        await self.table.ask(finalists, order[:rows])
        return finalists

    async def _settle(self, entries: Sequence[int], order: Sequence[int]) -> None:
        """The best of `entries` becomes the current prompt, unless it only guesses: one that might is asked more rows
        first. Where none is left, the best of all takes over from a current one that guesses."""
        while able := [entry for entry in entries if self.table.met(entry) and not self.guesses(entry)]:
            best = best_of(self.estimates, able, 1)[0]
            left = self.table.left
            if self.guesses(best, least=1):
                await self.table.ask([best], order[:LEAST_ROWS])
            if self.table.left == left:
                self._current = best
                return
        if self.guesses(self._current):
            self._current = self._leader()

    # Small helps

    def _order(self, number: int) -> list[int]:
        """The rows of dev in the order of asking at a step."""
        information = None
        if self.settings.discriminative and number:
            information = self.estimates.information(self._leader())[: self._dev].tolist()
        labels = [row.label for row in self.table.rows[: self._dev]]
        return order_rows(labels, information, self.bench.rng(number, "rows"))

    def _eligible(self) -> list[int]:
        """The prompts that may be handed out: asked about, and none that only guesses while there are others."""
        met = [entry for entry in range(len(self.table.entries)) if self.table.met(entry)]
        return [entry for entry in met if not self.guesses(entry)] or met

    def _leader(self) -> int:
        """The best prompt by the estimates."""
        best = best_of(self.estimates, self._eligible(), 1)
        return best[0] if best else 0

    def _signal(self) -> Signal:
        entries = [number for number in range(len(self.table.entries)) if self.table.met(number)]
        theta, sd = self.estimates.theta[entries], self.estimates.sd[entries]
        return find_signal([self.table.entries[number] for number in entries], theta, sd)

    def _predict(self, entry: Entry) -> float:
        return self._signal().predict(entry)

    def _path(self) -> list[int]:
        """The entries that were current, in their order, the present one last; of equal words the last."""
        numbers = [self.table.find(point.prompt) for point in self.visited]
        path = [number for number in numbers if number is not None and number != self._current]
        words = {self.table.entries[number].words: number for number in [*path, self._current]}
        return [
            number for number in [*path, self._current] if words[self.table.entries[number].words] == number
        ]

    def _visited(self, number: int) -> Visited:
        entry = self.table.entries[number]
        score = self.estimates.mean(number)
        shown = len(entry.demonstrations)
        notes = f"{shown} worked examples stand before the question" if shown else None
        return Visited(entry.prompt, score, 0, Information(entry.words, score, notes=notes))

    def _start(self, number: int, name: str) -> None:
        self.proposer.know(self.table.entries[number])
        self.starts.setdefault(number, name)

    def _count(self, entries: Sequence[int], finalists: Sequence[int]) -> None:
        for entry in entries:
            move, won = self.table.entries[entry].move, entry in finalists
            self.moves.setdefault(move, Counter()).update(tried=1, finalists=int(won))
            if move == "reflection":
                self.proposer.trial.note(won=won)

    def _as_candidate(self, number: int, parent: str) -> ScoredCandidate:
        """An entry that was not made at this step."""
        entry = self.table.entries[number]
        made = entry.parent
        source = parent if made is None else self.table.entries[made].prompt
        move = self.starts.get(number, entry.move)
        return self._drafted(Candidate(entry.prompt, entry.prompt, source, 0, move=move))

    def _drafted(self, item: Candidate) -> ScoredCandidate:
        number = self.table.find(item.prompt) if item.rejected is None else None
        if number is None or not self.table.met(number):
            return add_score(item)
        return add_score(item, estimate=self.estimates.mean(number), estimate_rows=self.table.met(number))

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
        signal = None
        if self.settings.signal:
            signal = self._signal()
        posterior = self.settings.posterior
        return Account(
            table=self.table,
            estimates=self.estimates,
            plan=self.plan,
            starts=self.starts,
            moves=self.moves,
            guessing=[entry for entry in range(len(self.table.entries)) if self.guesses(entry)],
            leader=self._leader() if self._answer is None else self._answer,
            replies=self.proposer.replies,
            unusable=self.proposer.unusable,
            estimated_by="posterior mean" if posterior else "mean over the rows that each prompt met",
            signal=signal,
            said=[*self._said, *self.proposer.warnings],
        )
