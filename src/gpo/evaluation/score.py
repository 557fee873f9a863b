"""Scoring prompts: every (prompt, example) pair of a request goes through one queue, no barrier between prompts.

The model may be a store, a budget or a rate limit; scoring is the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gpo.errors import GPOError, PermanentModelError
from gpo.evaluation.grading import Grader
from gpo.evaluation.outcome import Outcome, RowScore, Score, SplitLevel
from gpo.evaluation.program_rounds import ProgramRounds
from gpo.evaluation.replies import ReplyLog
from gpo.evaluation.rounds import RecallGrade, Rounds, ScorerSettings
from gpo.evaluation.window import gather_window
from gpo.model.model import Model
from gpo.task.example import Example
from gpo.task.task import Task

# Pairs that are under way or wait for the model's own limit. More would only hold memory: the limit is what paces.
WINDOW = 1024

OutcomeListener = Callable[[str, str, int, Outcome], None]
Recall = Callable[[str, str, Sequence[int]], Mapping[int, RowScore]]


class TooManyFailures(PermanentModelError):
    """So many examples could not be scored that a mean over the rest would say little."""


@dataclass
class Scorer:
    """Scores prompts on a task's splits with one task model, each (prompt, example) once.

    `on_outcome(prompt, split, index, outcome)` is called as each pair finishes, in the order of completion; `index` is
    the example's place among those asked for. An example that could not be scored for one prompt is excluded for all
    of them alike: see `excluded`. `replies` counts those that were no use.
    """

    task: Task
    model: Model
    settings: ScorerSettings = field(default_factory=ScorerSettings)
    on_outcome: OutcomeListener | None = None
    max_failed_share: float = 0.1
    recall: Recall | None = None
    """Gives what is known of a prompt on a split's examples at some indices, by index, where the reply was of use; such
    pairs are neither asked nor told to `on_outcome`."""
    recall_grade: RecallGrade | None = None
    """Gives what an own metric made of an answer in an earlier process: it is not asked again."""
    judge: Model | None = None
    """The model that grades, where the metric is a judge."""
    on_stop: Callable[[GPOError], Awaitable[None]] | None = None
    """Awaited before an error is raised and the calls under way are cancelled: they may finish in it."""

    def __post_init__(self) -> None:
        self.grader = Grader(self.task.metric, self.judge, self.settings.judge_tokens)
        kind = Rounds if self.task.program is None else ProgramRounds
        self._rounds = kind(self.task, self.model, self.settings, self.grader)
        self.replies = ReplyLog(self.task, self.settings)
        self._scores: dict[tuple[str, str], Score] = {}
        # Of prompts that were scored on a part of a split, by row.
        self._parts: dict[tuple[str, str], dict[int, RowScore]] = {}
        self._failed: dict[str, set[int]] = {}

    def excluded(self, split: str) -> frozenset[int]:
        """Indices of the examples of `split` that could not be scored for some prompt."""
        return frozenset(self._failed.get(split, ()))

    def mean(self, score: Score) -> float:
        """The score's mean over the examples that every prompt could be scored on."""
        return score.mean(self.excluded(score.split))

    def find_score(self, prompt: str, split: str) -> Score | None:
        """The score of `prompt` on all of `split` where it was scored before."""
        return self._scores.get((prompt, split))

    async def score(self, prompts: Sequence[str], split: str = "dev") -> list[Score]:
        """Score every prompt on every example of `split`; equal prompts are scored once.

        Raises `ModelError` where the model cannot go on (see `outcomes`).
        """
        rows = range(len(self.task.examples(split)))
        await self._fill(prompts, split, rows)
        for prompt in prompts:
            if (prompt, split) not in self._scores:
                part = self._parts.pop((prompt, split), {})
                self._scores[(prompt, split)] = self._build_score(prompt, split, part, rows)
        return [self._scores[(prompt, split)] for prompt in prompts]

    async def score_rows(self, prompts: Sequence[str], split: str, rows: Sequence[int]) -> list[Score]:
        """Score every prompt on the examples of `split` at the indices `rows`; what is known is not asked again.

        The scores are marked as resting on a part. A prompt that was scored on the whole split gives that score.
        """
        await self._fill(prompts, split, rows)
        return [self.find_score(prompt, split) or self._part(prompt, split, rows) for prompt in prompts]

    async def outcomes(
        self, prompts: Sequence[str], examples: Sequence[Example], split: str
    ) -> list[list[Outcome]]:
        """The outcome of every prompt on every example, shape (prompts, examples).

        Raises `BudgetError` and `ModelError` where no further call would succeed, and `ModelError` where more than
        `max_failed_share` of the examples of a prompt failed; calls under way are cancelled.
        """
        table: list[list[Outcome | None]] = [[None] * len(examples) for _ in prompts]

        def keep(row: int, column: int, outcome: Outcome) -> None:
            table[row][column] = outcome

        pairs = ((row, column) for column in range(len(examples)) for row in range(len(prompts)))
        await self._ask(prompts, examples, split, pairs, keep)
        return [[item for item in row if item is not None] for row in table]

    async def _fill(self, prompts: Sequence[str], split: str, rows: Sequence[int]) -> None:
        """Ask for what is not known yet of `prompts` on `rows`."""
        examples = self.task.examples(split)
        new = [prompt for prompt in dict.fromkeys(prompts) if (prompt, split) not in self._scores]
        parts = [self._parts.setdefault((prompt, split), {}) for prompt in new]
        if self.recall:
            for prompt, part in zip(new, parts, strict=True):
                recalled = self.recall(prompt, split, [row for row in rows if row not in part])
                self.replies.see_useful(prompt, split, [examples[row].id for row in recalled])
                part.update(recalled)

        def keep(number: int, column: int, outcome: Outcome) -> None:
            read = None if self.task.metric.over_split is None else outcome.prediction
            parts[number][column] = RowScore(outcome.value, outcome.unreadable, read)

        # Example by example: the model's limit lets calls that begin alike follow one another, be it those of an
        # example or those of a prompt, and all prompts are in its sight at any time.
        known = [frozenset(part) for part in parts]
        pairs = ((number, row) for row in rows for number in range(len(new)) if row not in known[number])
        await self._ask(new, examples, split, pairs, keep)

    def _part(self, prompt: str, split: str, rows: Sequence[int]) -> Score:
        part = self._parts[(prompt, split)]
        return replace(self._build_score(prompt, split, part, rows), rows=tuple(rows))

    def _build_score(
        self, prompt: str, split: str, part: Mapping[int, RowScore], rows: Sequence[int]
    ) -> Score:
        values = tuple(part[row].value for row in rows)
        unreadable = sum(part[row].unreadable for row in rows)
        metric = self.task.metric.over_split
        if metric is None:
            return Score(prompt, split, values, unreadable)
        examples = self.task.examples(split)
        counts = tuple(metric.counts(part[row].prediction, self.task.targets(examples[row])) for row in rows)
        return Score(prompt, split, values, unreadable, split_level=SplitLevel(metric, counts))

    async def _ask(
        self,
        prompts: Sequence[str],
        examples: Sequence[Example],
        split: str,
        pairs: Iterator[tuple[int, int]],
        keep: Callable[[int, int, Outcome], None],
    ) -> None:
        """Ask for the `pairs` (indices of prompt and example) and hand each outcome to `keep`."""

        async def one(number: int, column: int) -> None:
            try:
                outcome = await self._rounds.outcome(
                    prompts[number], examples[column], split, self.recall_grade
                )
                keep(number, column, outcome)
                self.replies.see(prompts[number], split, outcome)
                if outcome.failure is not None:
                    self._note_failure(split, outcome)
                if self.on_outcome:
                    self.on_outcome(prompts[number], split, column, outcome)
            except GPOError as error:
                # Whatever it was (the model, an own metric): other calls are paid for and about to be answered.
                if self.on_stop:
                    await self.on_stop(error)
                raise

        await gather_window((one(number, column) for number, column in pairs), WINDOW)

    def _note_failure(self, split: str, outcome: Outcome) -> None:
        # Counted over the whole split: a part of it may be asked for.
        everything = [example.id for example in self.task.examples(split)]
        size = len(everything)
        failed = self._failed.setdefault(split, set())
        failed.add(everything.index(outcome.example.id))
        if len(failed) > max(1, self.max_failed_share * size):
            raise TooManyFailures(
                f"{len(failed)} of {size} {split} examples could not be scored; the last one: {outcome.failure}"
            )
