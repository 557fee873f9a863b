"""The loop: describe the current prompt, show the past, sample candidates, score them on dev, take the best new one.

Paper, Iterative Prompt Optimization. Knows the four parts by their protocols only; it does not know stores, budgets or
resuming, which are models that wrap the models it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypedDict

from gpo.evaluation.outcome import Score
from gpo.evaluation.race import discriminative_rows, pairs, race
from gpo.model.model import Message
from gpo.optimizer.candidates import Candidate, Guard, candidate, same_prompt
from gpo.optimizer.information import batch_count
from gpo.optimizer.metaprompt import MetaPromptSettings, meta_prompt
from gpo.optimizer.methods import Method
from gpo.optimizer.search import Listener, Search, StepRecord
from gpo.optimizer.state import Information, Step, Visited
from gpo.optimizer.workbench import Workbench


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """`steps` in all, `candidates` a step, `resamples` more rounds for those that were rejected; stop after
    `patience` steps without a better dev score; `enforce` rejects what changes more words than the limit; `racing`
    scores all of dev only for the candidates that may be a step's best."""

    steps: int
    candidates: int = 8
    resamples: int = 2
    patience: int | None = None
    enforce: bool = False
    racing: bool = False
    meta_prompt: MetaPromptSettings = field(default_factory=MetaPromptSettings)


class _Estimates(TypedDict):
    estimates: tuple[float | None, ...]
    estimate_rows: tuple[int | None, ...]


class Loop:
    """One optimization of one initial prompt with one method."""

    def __init__(
        self,
        method: Method,
        bench: Workbench,
        guard: Guard,
        settings: LoopSettings,
        listener: Listener | None = None,
    ) -> None:
        self.method = method
        self.bench = bench
        self.guard = guard
        self.settings = settings
        self.listener = listener
        self._visited: list[Visited] = []
        self._scored: dict[str, Score] = {}
        self._bests: list[float] = []
        self.steps: list[StepRecord] = []
        self.total = settings.steps
        dev = len(bench.task.splits.dev)
        self.pairs_a_step = pairs(settings.candidates, dev) if settings.racing else settings.candidates * dev

    async def run(self, initial: str) -> Search:
        """Optimize from `initial`. Raises what the models raise; `best` is valid from the first score on."""
        await self._score([initial])
        self._visit(initial, 0)
        stopped = "all steps done"
        for number in range(self.settings.steps):
            self._bests.append(self.mean(self.best))
            if reason := self._plateau():
                stopped = reason
                break
            record = await self._step(number)
            self.steps.append(record)
            if self.listener:
                self.listener.step_finished(record)
        return Search(initial, self.best, tuple(self.steps), stopped)

    @property
    def best(self) -> str:
        """The best prompt by dev score so far; among equals the one that was scored first."""
        return max(self._scored.values(), key=self.bench.scorer.mean).prompt

    def mean(self, prompt: str) -> float:
        """Dev score of a scored prompt in 0..1."""
        return self.bench.scorer.mean(self._scored[same_prompt(prompt)])

    async def _step(self, number: int) -> StepRecord:
        total = self.settings.steps
        limit = self.method.edit_distance.limit(number, total)
        if self.listener:
            self.listener.step_started(number, total, limit, self.mean(self.best))
        step = await self._described(Step(number, total, tuple(self._visited), self.bench))
        shown = await self.method.trajectory.show(step)
        messages = meta_prompt(step, shown, limit, self.method.refinement, self.settings.meta_prompt)
        candidates = await self._candidates(step, messages, limit)
        fresh = [item.prompt for item in candidates if item.rejected is None]
        chosen = step.current.prompt
        partial: dict[str, Score] = {}
        if fresh:
            chosen, partial = await self._contest(fresh, number)
            self._visit(chosen, number + 1)
        best = self.best
        return StepRecord(
            step=number,
            total=total,
            limit=limit,
            parent=step.current.prompt,
            parent_score=step.current.score,
            information=step.current.information,
            shown=shown,
            meta_prompt=messages,
            candidates=tuple(candidates),
            scores=tuple(
                self.mean(item.prompt) if item.rejected is None and item.prompt not in partial else None
                for item in candidates
            ),
            chosen=chosen,
            chosen_score=self.mean(chosen),
            best=best,
            best_score=self.mean(best),
            **self._estimates(candidates, partial),
        )

    async def _contest(self, fresh: Sequence[str], number: int) -> tuple[str, dict[str, Score]]:
        """The best of a step's candidates, and the scores of those that were scored on a part of dev only."""
        if not self.settings.racing:
            await self._score(fresh)
            # `max` takes the first of equals, so ties do not depend on the order in which calls finish.
            return max(fresh, key=self.mean), {}
        scorer = self.bench.scorer
        dev = len(self.bench.task.splits.dev)
        rows = discriminative_rows(list(self._scored.values()), dev, self.bench.rng(number, "race"))
        raced = await race(scorer, fresh, rows)
        partial = {}
        for prompt, score in raced.scores.items():
            if score.complete:
                self._scored.setdefault(same_prompt(prompt), score)
            else:
                partial[prompt] = score
        return raced.winner, partial

    def _estimates(self, candidates: Sequence[Candidate], partial: Mapping[str, Score]) -> _Estimates:
        if not partial:
            return {"estimates": (), "estimate_rows": ()}
        found = [partial.get(item.prompt) if item.rejected is None else None for item in candidates]
        return {
            "estimates": tuple(None if score is None else self.bench.scorer.mean(score) for score in found),
            "estimate_rows": tuple(None if score is None else len(score.values) for score in found),
        }

    async def _described(self, step: Step) -> Step:
        """The step with current information in place; scores are read anew, as an example may have been excluded."""
        for index, point in enumerate(self._visited):
            score = self.mean(point.prompt)
            told = point.information
            if told.score is not None:
                told = replace(told, score=score)
            self._visited[index] = replace(point, score=score, information=told)
        step = replace(step, visited=tuple(self._visited))
        self._visited[-1] = step.current.informed(await self.method.information.describe(step))
        return replace(step, visited=tuple(self._visited))

    async def _candidates(
        self, step: Step, messages: tuple[Message, ...], limit: int | None
    ) -> list[Candidate]:
        """Sample until enough candidates may be scored or the resampling rounds are used up."""
        taken: list[Candidate] = []
        seen: set[str] = set()
        for attempt in range(self.settings.resamples + 1):
            missing = self.settings.candidates - len(seen)
            if missing <= 0:
                break
            reply = await self.bench.replies(
                messages, missing, step=step.number, purpose="candidates", attempt=attempt
            )
            ends = reply.finish_reasons or ("",) * len(reply.texts)
            for raw, end in zip(reply.texts, ends, strict=True):
                item = self._judge(raw, step.current.prompt, attempt, limit, seen, cut_off=end == "length")
                taken.append(item)
                if item.rejected is None:
                    seen.add(same_prompt(item.prompt))
        return taken

    def _judge(
        self, raw: str, parent: str, attempt: int, limit: int | None, seen: set[str], *, cut_off: bool
    ) -> Candidate:
        enforced = limit if self.settings.enforce else None
        item = candidate(raw, parent, self.guard, attempt=attempt, limit=enforced, cut_off=cut_off)
        if item.rejected is not None:
            return item
        words = same_prompt(item.prompt)
        if words == same_prompt(parent):
            return replace(item, rejected="does not change the current prompt")
        if words in seen:
            return replace(item, rejected="is the same as another candidate of the step")
        if any(words == same_prompt(point.prompt) for point in self._visited):
            return replace(item, rejected="was the current prompt before")
        return item

    async def _score(self, prompts: Sequence[str]) -> None:
        for prompt, score in zip(prompts, await self.bench.scorer.score(prompts, "dev"), strict=True):
            self._scored.setdefault(same_prompt(prompt), score)

    def _visit(self, prompt: str, step: int) -> None:
        self._visited.append(Visited(prompt, self.mean(prompt), step, Information(prompt)))

    def _plateau(self) -> str | None:
        best = self._bests[-1]
        if best >= 1:
            return "the dev score cannot get better"
        patience = self.settings.patience
        if patience is None or len(self._bests) <= patience or best > self._bests[-1 - patience]:
            return None
        return f"no better dev score in {patience} steps"


def step_count(train: int, batch_size: int, epochs: int, *, drop_remainder: bool = False) -> int:
    """epochs × batches an epoch; `drop_remainder` as for `batch_count`."""
    return epochs * batch_count(train, batch_size, drop_remainder=drop_remainder)
