"""Scoring one prompt without a run: the user's store remembers the calls, no run directory is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gpo.errors import ConfigError, ModelError, RunError
from gpo.evaluation.agreement import Agreement, measure_agreement
from gpo.evaluation.compare_scores import both_scored, compare_scores, score_interval
from gpo.evaluation.outcome import Outcome, Score
from gpo.evaluation.score import Scorer
from gpo.evaluation.statistics import Comparison, Interval
from gpo.model.factory import RoleName
from gpo.model.prices import Cost
from gpo.model.tally import Tally
from gpo.run.compose import RoleModel, compose
from gpo.run.estimate.probe import try_optimizer
from gpo.run.gc_tuning import collect_seldom
from gpo.run.layers.budget import GO_ON, Budget
from gpo.run.layers.journaled import JournaledModel
from gpo.run.layers.shutdown import Shutdown
from gpo.run.plan import Plan
from gpo.run.progress import Progress
from gpo.run.watcher import Watcher, Watchers
from gpo.storage.journal import Journal
from gpo.storage.shared_store import SharedStore
from gpo.task.program.parts import split_parts

SPLITS = ("train", "dev", "test")
_KEPT = f"what was scored so far is kept in the store; {GO_ON}"
_NOT_KEPT = f"sampled answers are not kept; {GO_ON}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A prompt's score on a split with its 95 % interval (see `score_interval`), in 0..1 over `examples` rows, of which
    `unreadable` replies counted as wrong; `failed` rows could not be scored and are left out. `values` are in the
    split's order, `scored` is all that was scored. `warnings` are lines for a person, `left_out` the parameters that
    the endpoint does not take. `optimizer` says what one call of the optimizer model came to, which tries what `gpo
    optimize` will need: `ok`, `left_out`, `usage`; None where it was not tried. `judge` is what a judge used, and
    `agreement` how far it agrees with people."""

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
    scored: Score | None = field(default=None, repr=False, compare=False)
    optimizer: dict[str, Any] | None = None
    judge: dict[str, Any] | None = None
    agreement: Agreement | None = None

    def __repr__(self) -> str:
        """The score with its interval, and on what it rests."""
        i, rows = self.interval, f"{self.examples} {self.split} rows"
        odd = f", {self.unreadable} unreadable" * bool(self.unreadable) + f", {self.failed} failed" * bool(
            self.failed
        )
        return f"Evaluation({100 * i.mean:.1f} [{100 * i.low:.1f}, {100 * i.high:.1f}] on {rows}{odd})"

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
            **({"optimizer": self.optimizer} if self.optimizer else {}),
            **(
                {"judge": {"usage": self.judge, **(self.agreement.to_dict() if self.agreement else {})}}
                if self.judge
                else {}
            ),
        }


async def evaluate_prompt(
    plan: Plan,
    prompt: str,
    split: str,
    progress: Progress | None = None,
    watcher: Watcher | None = None,
    shutdown: Shutdown | None = None,
) -> Evaluation:
    """Score `prompt` on `split`. Raises what `evaluate_prompts` raises."""
    (found,) = await evaluate_prompts(plan, [prompt], split, progress, watcher, shutdown)
    return found


async def evaluate_prompts(
    plan: Plan,
    prompts: Sequence[str],
    split: str,
    progress: Progress | None = None,
    watcher: Watcher | None = None,
    shutdown: Shutdown | None = None,
) -> list[Evaluation]:
    """Score `prompts` on `split`, with the usage of them all in each; `shutdown` can end it early.

    Raises `ConfigError` for a split that is unknown or empty, `BudgetError` at a cap (which holds for one command),
    `ModelError` where no row could be scored, and what the model raises; what was answered until then is in the user's
    store.
    """
    _check_split(plan, split)
    progress, watchers = progress or Progress(), Watchers(watcher)
    progress.phase, progress.pairs_planned = (
        "scoring the initial prompt",
        len(set(prompts)) * len(plan.task.examples(split)),
    )
    watchers.notes(plan.task.test_warnings if split == "test" else ())
    failures: list[str] = []

    def count(prompt: str, split: str, index: int, outcome: Outcome) -> None:
        progress.pairs_done += 1
        _count_calls(progress, [role.journaled for role in asked.values()])
        watchers.progressed(progress)
        if outcome.failure is not None:
            failures.append(outcome.failure)

    shared = SharedStore.open(warn=watchers.note)
    with TemporaryDirectory(prefix="gpo-") as folder:
        journal = Journal(Path(folder) / "journal.sqlite")
        keeps = shared is not None and plan.task_model.shareable and plan.scorer.temperature == 0
        costs: dict[str, Cost] = {role: other.cost for role, other in plan.models.items()}
        budget = Budget(plan.budget, costs, journal, shutdown, kept=_KEPT if keeps else _NOT_KEPT)
        asked: dict[RoleName, RoleModel] = {
            role: compose(other, role, journal=journal, budget=budget, shared=shared, note=watchers.note)
            for role, other in plan.models.items()
            if role in ("task", "judge")
        }
        model, judge = asked["task"], asked.get("judge")
        scorer = Scorer(
            plan.task,
            model.model,
            plan.scorer,
            judge=judge.model if judge else None,
            on_outcome=count,
            on_stop=budget.shutdown.stop_and_wait,
        )
        try:
            async with budget.shutdown.guard(budget.seconds_left, budget.out_of_time):
                with collect_seldom():
                    agreement = await measure_agreement(plan.task, scorer.grader, scorer.on_stop)
                    scores = await scorer.score(prompts, split)
                # Whoever scores again what is known should not be asked to pay for anything.
                tried = (
                    await try_optimizer(plan, journal, budget, watchers.note)
                    if model.journaled.tally.calls
                    else None
                )
        finally:
            await plan.aclose()
            with suppress(RunError):
                await journal.flush()  # what is in the journal goes on into the store
            journal.close()
            if shared:
                shared.close()
    useless = scorer.replies.warnings(split)
    watchers.notes(useless)
    found = [
        _evaluation(
            score,
            failures,
            seed=plan.seed,
            usage=model.journaled.usage(),
            warnings=(*_observed_lines(asked), *useless),
            left_out=model.journaled.observed.left_out,
            optimizer=tried,
            judge=judge.journaled.usage() if judge else None,
            agreement=agreement,
        )
        for score in scores
    ]
    for one in found:
        watchers.prompt_scored(one.prompt, split, one.interval.mean)
    progress.phase = "done"
    return found


def _observed_lines(asked: Mapping[RoleName, RoleModel]) -> list[str]:
    """What the endpoints did not take, and that a judge's replies were cut: those of the task model are counted by the
    scorer."""
    seen = {role: model.journaled.observed for role, model in asked.items()}
    cut = seen["judge"].cut_lines() if "judge" in seen else []
    return [*(line for observed in seen.values() for line in observed.left_out_lines()), *cut]


def _check_split(plan: Plan, split: str) -> None:
    if split not in SPLITS:
        raise ConfigError(f"--split {split}: choose one of {', '.join(SPLITS)}")
    if not plan.task.examples(split):
        raise ConfigError(f"--split {split}: has no rows")


def _evaluation(
    score: Score,
    failures: Sequence[str],
    *,
    seed: int,
    usage: dict[str, Any],
    warnings: tuple[str, ...],
    left_out: tuple[str, ...],
    optimizer: dict[str, Any] | None,
    judge: dict[str, Any] | None,
    agreement: Agreement | None,
) -> Evaluation:
    values = [value for value in score.values if value is not None]
    if not values:
        raise ModelError(
            f"no example of the {score.split} split could be scored; the last one: {failures[-1]}"
        )
    return Evaluation(
        prompt=score.prompt,
        split=score.split,
        interval=score_interval(score, seed=seed),
        examples=len(values),
        unreadable=score.unreadable,
        failed=len(score.values) - len(values),
        values=score.values,
        usage=usage,
        warnings=warnings,
        left_out=left_out,
        scored=score,
        optimizer=optimizer,
        judge=judge,
        agreement=agreement,
    )


def compare_evaluations(before: Evaluation, after: Evaluation, *, seed: int) -> Comparison:
    """`after` minus `before` over the rows that both could be scored on. Raises `ModelError` where there is none."""
    assert before.scored is not None
    assert after.scored is not None
    rows = both_scored(before.scored, after.scored)
    if not rows:
        raise ModelError("no row could be scored with both prompts")
    return compare_scores(before.scored, after.scored, rows, seed=seed)


def read_prompt(text: str, option: str = "--prompt") -> str:
    """The prompt itself, or the content of FILE for "@FILE". Raises `ConfigError` naming the file."""
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{option} {text}: the file cannot be read ({error})") from None


def check_parts_given(prompt: str, names: Sequence[str], option: str) -> None:
    """Raise `ConfigError` where `option` gives a `prompt` without one of the several `names` of a task's prompts."""
    try:
        split_parts(prompt, names)
    except ConfigError as error:
        raise ConfigError(
            f"{option}: {str(error).removeprefix('prompts: ')}; give a file such as best_prompt.txt of a run "
            f"({option} @FILE), or change those of the configuration (--set prompts.{names[0]}=TEXT)"
        ) from None


def _count_calls(progress: Progress, asked: Sequence[JournaledModel]) -> None:
    tally = sum((model.tally for model in asked), Tally())
    progress.calls, progress.cached = tally.calls, tally.cached
    progress.tokens = tally.prompt_tokens + tally.completion_tokens
    progress.saved_tokens = tally.saved_prompt_tokens + tally.saved_completion_tokens
