"""Scoring one prompt without a run: the user's store remembers the calls, no run directory is made."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gpo.errors import ConfigError, ModelError, RunError
from gpo.evaluation.outcome import Outcome
from gpo.evaluation.score import Scorer
from gpo.evaluation.statistics import Interval, wilson
from gpo.run.compose import compose
from gpo.run.gc_tuning import collect_seldom
from gpo.run.layers.budget import GO_ON, Budget
from gpo.run.listeners import Watcher
from gpo.run.plan import Plan
from gpo.run.progress import Progress
from gpo.storage.journal import Journal
from gpo.storage.shared_store import SharedStore

SPLITS = ("train", "dev", "test")
_KEPT = f"what was scored so far is kept in the store; {GO_ON}"
_NOT_KEPT = f"sampled answers are not kept; {GO_ON}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A prompt's score on a split: mean and Wilson interval in 0..1 over `examples` rows, of which `unreadable`
    replies counted as wrong; `failed` rows could not be scored and are left out. `values` are in the split's order.
    `warnings` are lines for a person, `left_out` the parameters that the endpoint does not take."""

    prompt: str
    split: str
    interval: Interval
    examples: int
    unreadable: int
    failed: int
    values: tuple[float | None, ...]
    usage: dict[str, Any]
    warnings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "prompt": self.prompt,
            "split": self.split,
            "score": self.interval.mean,
            "ci_low": self.interval.low,
            "ci_high": self.interval.high,
            "examples": self.examples,
            "unreadable": self.unreadable,
            "failed": self.failed,
            "values": list(self.values),
            "usage": self.usage,
            "warnings": list(self.warnings),
            **({"endpoints": {"task": {"left_out": list(self.left_out)}}} if self.left_out else {}),
        }


async def evaluate_prompt(
    plan: Plan, prompt: str, split: str, progress: Progress | None = None, watcher: Watcher | None = None
) -> Evaluation:
    """Score `prompt` on `split`. Raises `ConfigError` for a split that is unknown or empty, `BudgetError` at a cap
    (which holds for one command), `ModelError` where no row could be scored, and what the model raises; what was
    answered until then is in the user's store."""
    if split not in SPLITS:
        raise ConfigError(f"--split {split}: choose one of {', '.join(SPLITS)}")
    if not plan.task.examples(split):
        raise ConfigError(f"--split {split}: has no rows")
    progress = progress or Progress()
    progress.phase, progress.pairs_planned = "scoring the initial prompt", len(plan.task.examples(split))
    _warn(plan, split, watcher)

    failures: list[str] = []

    def count(prompt: str, split: str, index: int, outcome: Outcome) -> None:
        progress.pairs_done += 1
        if outcome.failure is not None:
            failures.append(outcome.failure)

    shared = SharedStore.open(warn=watcher.note if watcher else lambda line: None)
    note = watcher.note if watcher else None
    with TemporaryDirectory(prefix="gpo-") as folder:
        journal = Journal(Path(folder) / "journal.sqlite")
        opened = plan.task_model
        keeps = shared is not None and opened.shareable and plan.scorer.temperature == 0
        budget = Budget(plan.budget, {"task": opened.cost}, journal, kept=_KEPT if keeps else _NOT_KEPT)
        model = compose(opened, "task", journal=journal, budget=budget, shared=shared, note=note)
        stop = budget.shutdown.stop_and_wait
        scorer = Scorer(plan.task, model.model, plan.scorer, on_outcome=count, on_stop=stop)
        try:
            async with budget.shutdown.guard(budget.seconds_left, budget.out_of_time):
                with collect_seldom():
                    (score,) = await scorer.score([prompt], split)
        finally:
            await plan.aclose()
            with suppress(RunError):
                await journal.flush()  # what is in the journal goes on into the store
            journal.close()
            if shared:
                shared.close()
    values = [value for value in score.values if value is not None]
    if not values:
        raise ModelError(f"no example of the {split} split could be scored; the last one: {failures[-1]}")
    progress.phase = "done"
    return Evaluation(
        prompt=prompt,
        split=split,
        interval=wilson(values),
        examples=len(values),
        unreadable=score.unreadable,
        failed=len(score.values) - len(values),
        values=score.values,
        usage=model.journaled.usage(),
        warnings=(*model.journaled.observed.left_out_lines(), *_reply_warnings(scorer, split, watcher)),
        left_out=model.journaled.observed.left_out,
    )


def _reply_warnings(scorer: Scorer, split: str, watcher: Watcher | None) -> tuple[str, ...]:
    """What must be known of the replies, told to `watcher` too."""
    lines = tuple(scorer.replies.warnings(split))
    if watcher:
        for line in lines:
            watcher.note(line)
    return lines


def read_prompt(text: str) -> str:
    """The prompt itself, or the content of FILE for "@FILE". Raises `ConfigError` naming the file."""
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--prompt {text}: the file cannot be read ({error})") from None


def _warn(plan: Plan, split: str, watcher: Watcher | None) -> None:
    """Say what is odd about the test split, where that is the one that is scored."""
    if watcher and split == "test":
        for line in plan.task.test_warnings:
            watcher.note(line)
