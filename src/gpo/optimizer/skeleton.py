"""The skeleton of a search in steps: scored prompts and the best of them, visits, plateau, listener, records.

The four-part loop and the published protocols say what a step is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gpo.evaluation.outcome import Score
from gpo.evaluation.score import Scorer
from gpo.model.model import Message
from gpo.optimizer.candidates import Candidate, Guard, normalise_prompt, read_candidate
from gpo.optimizer.parts.trajectory import Shown
from gpo.optimizer.search import Listener, ScoredCandidate, SearchResult, StepRecord
from gpo.optimizer.state import Information, Visited
from gpo.optimizer.workbench import Workbench
from gpo.task.program.parts import part_of, with_part


class DevScores:
    """The prompts that were scored on the whole of dev, in the order of their scoring. Prompts of the same words are
    one. Means are read anew each time, as an example may have been excluded since."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._scores: dict[str, Score] = {}

    async def score(self, prompts: Sequence[str]) -> None:
        """Score `prompts` on the whole of dev. Raises what the scorer raises."""
        for score in await self._scorer.score(prompts, "dev"):
            self.add(score)

    def add(self, score: Score) -> None:
        """Take a score on the whole of dev; the first of a prompt stays."""
        self._scores.setdefault(normalise_prompt(score.prompt), score)

    def __contains__(self, prompt: str) -> bool:
        return normalise_prompt(prompt) in self._scores

    def mean(self, prompt: str) -> float:
        """Dev score in 0..1 of a prompt that was scored."""
        return self._scorer.mean(self._scores[normalise_prompt(prompt)])

    @property
    def best(self) -> str:
        """The best prompt; among equals the one that was scored first."""
        return max(self._scores.values(), key=self._scorer.mean).prompt

    @property
    def all(self) -> list[Score]:
        """Every score."""
        return list(self._scores.values())


class StepSearch(ABC):
    """A search in at most `total` steps of about `pairs_a_step` pairs; it ends early after `patience` steps without a
    better dev score, and where no score can be better. The answer is the best prompt by full dev score, the initial one
    included.

    Candidates are read and refused alike in every method (`Guard`), beside a method's own filters.
    """

    REPEATED = "is the same as an earlier prompt"

    def __init__(
        self,
        bench: Workbench,
        guard: Guard,
        listener: Listener | None,
        *,
        total: int,
        pairs_a_step: int,
        patience: int | None = None,
    ) -> None:
        self.bench = bench
        self.guard = guard
        self.listener = listener
        self.total = total
        self.pairs_a_step = pairs_a_step
        self.patience = patience
        self.steps: list[StepRecord] = []
        self.dev = DevScores(bench.scorer)
        self.visited: list[Visited] = []
        self.part: str | None = None
        """The one of several prompts that the step under way changes."""
        self._bests: list[float] = []

    async def run(self, initial: str) -> SearchResult:
        """Optimize from `initial`. Raises what the models raise; `best` is valid from the first score on."""
        await self._begin(initial)
        stopped = "all steps done"
        for number in range(self.total):
            self._bests.append(self.mean(self.best))
            if reason := self._plateau():
                stopped = reason
                break
            limit = self._limit(number)
            if self.listener:
                self.listener.step_started(number, self.total, limit, self._bests[-1])
            record = await self._step(number, limit)
            if record.chosen != record.parent:
                self._visit(record.chosen, number + 1)
            self.steps.append(record)
            if self.listener:
                self.listener.step_finished(record)
        return SearchResult(initial, self.best, tuple(self.steps), stopped)

    async def _begin(self, initial: str) -> None:
        """Score the initial prompt, which is the first current one."""
        await self.dev.score([initial])
        self._visit(initial, 0)

    @abstractmethod
    async def _step(self, number: int, limit: int | None) -> StepRecord:
        """Step `number` of `total`, from 0, in which `limit` words may change; the initial prompt has been scored."""

    def _limit(self, number: int) -> int | None:
        """Words that may change at a step; None is no limit."""
        return None

    @property
    def best(self) -> str:
        """The best prompt by full dev score so far; among equals the one that was scored first."""
        return self.dev.best

    def knows(self, prompt: str) -> bool:
        """Whether `prompt` was scored."""
        return prompt in self.dev

    def mean(self, prompt: str) -> float:
        """Full dev score in 0..1 of a prompt that was scored."""
        return self.dev.mean(prompt)

    @property
    def told(self) -> Mapping[str, object]:
        """What `result.json` says of the search beside the contract."""
        return {}

    @property
    def warnings(self) -> Sequence[str]:
        """Lines for a person about how the search went."""
        return ()

    def judge(
        self,
        raw: str,
        parent: str,
        seen: set[str],
        *,
        attempt: int = 0,
        limit: int | None = None,
        cut_off: bool = False,
    ) -> Candidate:
        """Read one reply; a prompt whose words are in `seen` is rejected, and the words of the others are added. The
        rest as for `read_candidate`."""
        names, guard = self.bench.task.parts, self.guard.of(self.part)
        text = part_of(parent, names, self.part)
        item = read_candidate(raw, text, guard, attempt=attempt, limit=limit, cut_off=cut_off)
        if self.part is not None:
            item = put_in(item, parent, names, self.part)
        if item.rejected is not None:
            return item
        words = normalise_prompt(item.prompt)
        if reason := self._repeats(words, parent, seen):
            return replace(item, rejected=reason)
        seen.add(words)
        return item

    def _repeats(self, words: str, parent: str, seen: set[str]) -> str | None:
        """Why a prompt of these words is not looked at again, None where it is new."""
        return self.REPEATED if words in seen else None

    def _scored(self, item: Candidate, estimate: float | None = None) -> ScoredCandidate:
        """`item` with its full dev score, where it has one, and an estimate."""
        known = item.rejected is None and item.prompt in self.dev
        return add_score(item, score=self.mean(item.prompt) if known else None, estimate=estimate)

    def _record(
        self,
        number: int,
        parent: Visited,
        candidates: Sequence[ScoredCandidate],
        chosen: str,
        *,
        limit: int | None = None,
        shown: Shown | None = None,
        meta_prompt: tuple[Message, ...] = (),
        estimated: bool = False,
    ) -> StepRecord:
        """The record of a step; `chosen` has been scored on the whole of dev."""
        best = self.best
        return StepRecord(
            step=number,
            total=self.total,
            limit=limit,
            parent=parent.prompt,
            parent_score=parent.score,
            information=parent.information,
            shown=shown or Shown(),
            meta_prompt=meta_prompt,
            candidates=tuple(candidates),
            chosen=chosen,
            chosen_score=self.mean(chosen),
            best=best,
            best_score=self.mean(best),
            estimated=estimated,
            part=self.part,
        )

    def _visit(self, prompt: str, step: int) -> None:
        self.visited.append(Visited(prompt, self.mean(prompt), step, Information(prompt)))

    def _plateau(self) -> str | None:
        best = self._bests[-1]
        if best >= 1:
            return "the dev score cannot get better"
        patience = self.patience
        if patience is None or len(self._bests) <= patience or best > self._bests[-1 - patience]:
            return None
        return f"no better dev score in {patience} steps"


def put_in(item: Candidate, parent: str, names: Sequence[str], part: str) -> Candidate:
    """`item`, which is a text for one part of `parent`, as a candidate for the whole; a rejected one stays as it is."""
    whole = item.prompt if item.rejected is not None else with_part(parent, names, part, item.prompt)
    return replace(item, prompt=whole, parent=parent)


def add_score(
    item: Candidate,
    *,
    score: float | None = None,
    estimate: float | None = None,
    estimate_rows: int | None = None,
) -> ScoredCandidate:
    """`item` and what dev said of it."""
    return ScoredCandidate(
        raw=item.raw,
        prompt=item.prompt,
        parent=item.parent,
        distance=item.distance,
        attempt=item.attempt,
        rejected=item.rejected,
        move=item.move,
        score=score,
        estimate=estimate,
        estimate_rows=estimate_rows,
    )
