"""The loop: describe the current prompt, show the past, sample candidates, score them on dev, take the best new one.

Paper, Iterative Prompt Optimization. The four parts are called through their protocols. Stores, budgets and resuming
are models that wrap the models it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gpo.evaluation.outcome import Score
from gpo.evaluation.race import discriminative_rows, evaluations_per_row, pairs, race
from gpo.model.model import Message
from gpo.optimizer.calls import Calls, OptimizerCalls, PromptContent, RowUse, Sizes, count_part_calls
from gpo.optimizer.candidates import Candidate, Guard, normalise_prompt
from gpo.optimizer.coordinates.choice import Coordinate, choose_part
from gpo.optimizer.coordinates.view import project
from gpo.optimizer.metaprompt import MetaPromptSettings, write_meta_prompt
from gpo.optimizer.methods import Method
from gpo.optimizer.own_parts import describe_current, limit_words, show_past
from gpo.optimizer.parts.information import count_batches
from gpo.optimizer.search import Listener, ScoredCandidate, StepRecord
from gpo.optimizer.skeleton import StepSearch, add_score
from gpo.optimizer.state import Step
from gpo.optimizer.workbench import Workbench


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """`steps` in all, `candidates` a step, `resamples` more rounds for those that were rejected; stop after
    `patience` steps without a better dev score; `enforce` rejects what changes more words than the limit; `racing`
    scores all of dev only for the candidates that may be a step's best; `coordinate` says which of several prompts a
    step changes."""

    steps: int
    candidates: int = 8
    resamples: int = 2
    patience: int | None = None
    enforce: bool = False
    racing: bool = False
    coordinate: Coordinate = "turn"
    meta_prompt: MetaPromptSettings = field(default_factory=MetaPromptSettings)

    def evaluations_per_row(self, dev: int) -> list[int]:
        """How many candidates of a step meet each of `dev` rows, the largest number first."""
        if self.racing:
            return evaluations_per_row(self.candidates, dev)
        return [self.candidates] * dev

    def pairs_a_step(self, dev: int) -> int:
        """(prompt, row) pairs that a step scores where no candidate is rejected."""
        return pairs(self.candidates, dev) if self.racing else self.candidates * dev


class Loop(StepSearch):
    """One optimization of one initial prompt with one method of four parts."""

    REPEATED = "is the same as another candidate of the step"

    def __init__(
        self,
        method: Method,
        bench: Workbench,
        guard: Guard,
        settings: LoopSettings,
        listener: Listener | None = None,
    ) -> None:
        super().__init__(
            bench,
            guard,
            listener,
            total=settings.steps,
            pairs_a_step=settings.pairs_a_step(len(bench.task.splits.dev)),
            patience=settings.patience,
        )
        self.method = method
        self.settings = settings

    async def _step(self, number: int, limit: int | None) -> StepRecord:
        self.part = choose_part(self.bench.task.parts, self.settings.coordinate, self.steps)
        described = await self._described(
            Step(number, self.total, tuple(self.visited), self.bench, self.part)
        )
        step = project(described)
        shown = await show_past(self.method.trajectory, step)
        messages = write_meta_prompt(step, shown, limit, self.method.refinement, self.settings.meta_prompt)
        candidates = await self._candidates(described, messages, limit)
        fresh = [item.prompt for item in candidates if item.rejected is None]
        chosen, partial = await self._contest(fresh, number) if fresh else (described.current.prompt, {})
        return self._record(
            number,
            described.current,
            [self._estimated(item, partial) for item in candidates],
            chosen,
            limit=limit,
            shown=shown,
            meta_prompt=messages,
            estimated=bool(partial),
        )

    def _limit(self, number: int) -> int | None:
        return limit_words(self.method.edit_distance, number, self.total)

    async def _contest(self, fresh: Sequence[str], number: int) -> tuple[str, dict[str, Score]]:
        """The best of a step's candidates, and the scores of those that were scored on a part of dev only."""
        if not self.settings.racing:
            await self.dev.score(fresh)
            # `max` takes the first of equals, so ties do not depend on the order in which calls finish.
            return max(fresh, key=self.mean), {}
        scorer = self.bench.scorer
        dev = len(self.bench.task.splits.dev)
        rows = discriminative_rows(self.dev.all, dev, self.bench.rng(number, "race"))
        raced = await race(scorer, fresh, rows)
        partial = {}
        for prompt, score in raced.scores.items():
            if score.complete:
                self.dev.add(score)
            else:
                partial[prompt] = score
        return raced.winner, partial

    def _estimated(self, item: Candidate, partial: Mapping[str, Score]) -> ScoredCandidate:
        """With the score on all of dev, or with the mean over the part that a race ended at."""
        score = partial.get(item.prompt) if item.rejected is None else None
        if score is None:
            return self._scored(item)
        mean = self.bench.scorer.mean(score)
        return add_score(item, estimate=mean, estimate_rows=len(score.values))

    async def _described(self, step: Step) -> Step:
        """The step with current information in place; scores are read anew, as an example may have been excluded."""
        for index, point in enumerate(self.visited):
            score = self.mean(point.prompt)
            told = point.information
            if told.score is not None:
                told = replace(told, score=score)
            self.visited[index] = replace(point, score=score, information=told)
        step = replace(step, visited=tuple(self.visited))
        self.visited[-1] = step.current.informed(await describe_current(self.method.information, step))
        return replace(step, visited=tuple(self.visited))

    async def _candidates(
        self, step: Step, messages: tuple[Message, ...], limit: int | None
    ) -> list[Candidate]:
        """Sample until enough candidates may be scored or the resampling rounds are used up."""
        taken: list[Candidate] = []
        seen: set[str] = set()
        enforced = limit if self.settings.enforce else None
        for attempt in range(self.settings.resamples + 1):
            missing = self.settings.candidates - len(seen)
            if missing <= 0:
                break
            reply = await self.bench.replies(
                messages, missing, step=step.number, purpose="candidates", attempt=attempt
            )
            ends = reply.finish_reasons or ("",) * len(reply.texts)
            for raw, end in zip(reply.texts, ends, strict=True):
                item = self.judge(
                    raw, step.current.prompt, seen, attempt=attempt, limit=enforced, cut_off=end == "length"
                )
                taken.append(item)
        return taken

    def _repeats(self, words: str, parent: str, seen: set[str]) -> str | None:
        if words == normalise_prompt(parent):
            return "does not change the current prompt"
        if any(words == normalise_prompt(point.prompt) for point in self.visited):
            return "was the current prompt before"
        return super()._repeats(words, parent, seen)


def count_loop_calls(method: Method, settings: LoopSettings, sizes: Sizes) -> Calls:
    """What the loop may ask for with the parts of `method`: the initial prompt and every candidate on dev, a call for
    the candidates of a step and, at most, one for each resampling, and what the parts ask for."""
    steps = settings.steps
    alone = Calls(shown=PromptContent(prompts=1))
    told = count_part_calls(method.information, steps, sizes, alone)
    past = count_part_calls(method.trajectory, steps, sizes, Calls(shown=PromptContent(prompts=sizes.k)))
    parts = [
        told,
        past,
        count_part_calls(method.edit_distance, steps, sizes, Calls()),
        count_part_calls(method.refinement, steps, sizes, Calls()),
    ]
    # Each prompt of the trajectory is shown as the current one is: what an information tells of it comes along.
    content = told.shown.times(1 + past.shown.prompts) + replace(past.shown, prompts=0)
    content += PromptContent(examples=settings.meta_prompt.task_examples)
    for part in parts[2:]:
        content += part.shown
    asks = steps * (1 + (settings.resamples if sizes.most else 0))
    candidates = OptimizerCalls(asks, settings.candidates, sizes.max_tokens, content)
    dev = RowUse(tuple(1 + steps * met for met in settings.evaluations_per_row(sizes.dev)))
    return Calls(
        train=sum((part.train for part in parts), RowUse()),
        dev=sum((part.dev for part in parts), dev),
        optimizer=(candidates, *(calls for part in parts for calls in part.optimizer)),
        prompt_tokens=sizes.max_tokens,
    )


def count_steps(train: int, batch_size: int, epochs: int, *, drop_remainder: bool = False) -> int:
    """epochs × batches an epoch; `drop_remainder` as for `count_batches`."""
    return epochs * count_batches(train, batch_size, drop_remainder=drop_remainder)
