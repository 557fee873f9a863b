"""What a run says of itself at its end, whatever end that is: from the parts of the work to a `Result`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from gpo.evaluation.agreement import Agreement
from gpo.evaluation.score import Scorer
from gpo.evaluation.statistics import few_rows_warning
from gpo.extras import DISTRIBUTION
from gpo.model.factory import RoleName
from gpo.optimizer.search import Search
from gpo.result.rejections import rejected_steps
from gpo.result.result import Result, RoleUsage, RunUsage, Scores, SplitScores, Status
from gpo.run.compose import RoleModel
from gpo.run.held_out_test import HeldOutTest
from gpo.run.journal_writer import step_summary
from gpo.run.layers.budget import Budget
from gpo.run.plan import Plan
from gpo.task.program.parts import split_parts
from gpo.task.reading import describe_reading
from gpo.task.template import make_template

LONGEST = 4_000
"""Characters of a turn of the filled example; a longer one is cut, as the row itself is at hand."""


def summary(
    status: Status,
    *,
    plan: Plan,
    models: Mapping[RoleName, RoleModel],
    budget: Budget,
    scorer: Scorer,
    search: Search,
    test: HeldOutTest,
    embedder: str | None,
    agreement: Agreement | None = None,
    stopped: str = "",
    unused: Sequence[str] = (),
) -> Result:
    """The result so far; `stopped` is why the run ended before its first step, `unused` what is said of prompts that
    made no difference."""
    rejected = rejected_steps(search.steps, plan.max_tokens)
    replies = [stopped] if stopped else scorer.replies.warnings("dev")
    replies += [rejected] if rejected else []
    few = few_rows_warning(test.improvement.rows, test.improvement.detectable)
    initial = plan.prompt
    scored = search.knows(initial)
    best = search.best if scored else initial
    return Result(
        status=status,
        initial_prompt=initial,
        best_prompt=best,
        scores=Scores(
            initial=SplitScores(dev=search.mean(initial) if scored else None, test=test.means.get(initial)),
            best=SplitScores(dev=search.mean(best) if scored else None, test=test.means.get(best)),
        ),
        improvement=test.improvement,
        steps=tuple(step_summary(record) for record in search.steps),
        usage=RunUsage(
            **{role: RoleUsage(**model.journaled.usage()) for role, model in models.items()}  # type: ignore[arg-type]
        ),
        seconds=round(budget.seconds, 3),
        seed=plan.seed,
        versions=versions(),
        extra={
            **_show_parts(plan, best),
            **_show_request(plan, best),
            "method": plan.method.name,
            "models": {role: model.model.identity for role, model in models.items()},
            "embedder": embedder,
            "rows": {
                name: len(plan.task.examples(name)) for name in ("train", "dev", "test", "format", "demos")
            },
            "unreadable_dev_replies_of_best": _unreadable(scorer, search),
            "excluded_examples": {name: len(scorer.excluded(name)) for name in ("dev", "test")},
            "warnings": [
                *plan.task.warnings,
                *plan.warnings,
                *(line for model in models.values() for line in model.journaled.observed.left_out_lines()),
                *(
                    line
                    for role, model in models.items()
                    if role != "task"
                    for line in model.journaled.observed.cut_lines()
                ),
                *replies,
                *(plan.task.test_warnings if test.means else ()),
                *([few] if few else []),
                *search.warnings,
                *unused,
            ],
            **search.told,
            # Those of the warnings that the whole result stands or falls with.
            "reply_warnings": replies,
            "stopped": stopped or None,
            "optimism": _measure_gap(search, test),
            "limits": limits(models),
            # Prompt tokens that servers took from their own prefix caches, where they tell.
            "cached_tokens": {role: model.journaled.tally.cached_tokens for role, model in models.items()},
            # Only where there were some: most runs lose none, and a reader should not have to ask what it means.
            **({"lost_attempts": budget.lost_attempts} if budget.lost_attempts else {}),
            **_endpoints(models),
            **({"judge": agreement.to_dict()} if agreement else {}),
        },
    )


def limits(models: Mapping[RoleName, RoleModel]) -> dict[str, dict[str, int | float]]:
    """What this process saw of the limits, by role."""
    return {role: model.sending.limited.state.to_dict() for role, model in models.items()}


def _endpoints(models: Mapping[RoleName, RoleModel]) -> dict[str, object]:
    """What an endpoint did not take, by role; nothing where every endpoint took all."""
    left_out = {role: model.journaled.observed.left_out for role, model in models.items()}
    found = {role: {"left_out": list(names)} for role, names in left_out.items() if names}
    return {"endpoints": found} if found else {}


def _measure_gap(search: Search, test: HeldOutTest) -> float | None:
    """Dev minus test score of the best prompt: how far choosing on dev flattered it; None without a test score."""
    best = search.best if test.means else None
    return None if best is None else search.mean(best) - test.means[best]


def _unreadable(scorer: Scorer, search: Search) -> int | None:
    best = scorer.find_score(search.best, "dev") if search.steps else None
    return best.unreadable if best else None


def _show_parts(plan: Plan, best: str) -> dict[str, object]:
    """The prompts by their names, where they have names, and what they are prompts of."""
    task = plan.task
    if not task.parts:
        return {}
    program = {"program": task.program.identity or task.program.name} if task.program else {}
    initial = split_parts(plan.prompt, task.parts)
    return {"best_prompts": split_parts(best, task.parts), "initial_prompts": initial, **program}


def _show_request(plan: Plan, best: str) -> dict[str, object]:
    """The best prompt's whole template, and what is sent for the first dev row, for a person to read. Of a program only
    how its outputs are read: what it sends is its own business."""
    task = plan.task
    if task.program is not None:
        return {
            "reading": {**describe_reading(task).to_dict(), "second_round_tokens": task.second_round_tokens}
        }
    opening = task.opening(best, task.splits.dev[0])
    turns = (
        [("text", opening)] if isinstance(opening, str) else [(turn.role, turn.content) for turn in opening]
    )
    return {
        "template": make_template(task, best).to_dict(),
        "reading": {**describe_reading(task).to_dict(), "second_round_tokens": task.second_round_tokens},
        "example": [
            {"role": role, "content": text if len(text) <= LONGEST else f"{text[:LONGEST]} …"}
            for role, text in turns
        ],
    }


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    names = {"gpo": DISTRIBUTION, **{name: name for name in ("xllamacpp", "aiohttp", "httptools", "numpy")}}
    for name, distribution in names.items():
        try:
            found[name] = version(distribution)
        except PackageNotFoundError:
            continue
    return found
