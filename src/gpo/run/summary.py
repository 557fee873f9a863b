"""What a run says of itself at its end, whatever end that is: from the parts of the work to a `Result`.

Knows the parts and changes none of them.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from gpo.result.result import Result, RoleUsage, RunUsage, Scores, SplitScores, Status
from gpo.run.journal_writer import step_summary

if TYPE_CHECKING:
    from gpo.run.work import Work


def summary(work: Work, status: Status) -> Result:
    """The result so far."""
    initial = work.plan.prompt
    scored = work.scorer.known(initial, "dev") is not None
    best = work.loop.best if scored else initial
    return Result(
        status=status,
        initial_prompt=initial,
        best_prompt=best,
        scores=Scores(
            initial=SplitScores(
                dev=work.loop.mean(initial) if scored else None, test=work.tested.get(initial)
            ),
            best=SplitScores(dev=work.loop.mean(best) if scored else None, test=work.tested.get(best)),
        ),
        improvement=work.improvement,
        steps=tuple(step_summary(record) for record in work.loop.steps),
        usage=RunUsage(
            task=RoleUsage(**work.task_model.usage()),  # type: ignore[arg-type]
            optimizer=RoleUsage(**work.optimizer_model.usage()),  # type: ignore[arg-type]
        ),
        seconds=round(work.budget.seconds, 3),
        seed=work.plan.seed,
        versions=versions(),
        extra=_extra(work),
    )


def _optimism(work: Work) -> float | None:
    """Dev minus test score of the best prompt: how far choosing on dev flattered it; None without a test score."""
    best = work.loop.best if work.tested else None
    return None if best is None else work.loop.mean(best) - work.tested[best]


def _extra(work: Work) -> dict[str, Any]:
    # Only where there were some: most runs lose none, and a reader should not have to ask what it means.
    lost = {"lost_attempts": work.budget.lost_attempts} if work.budget.lost_attempts else {}
    roles = {"task": work.task_model.observed, "optimizer": work.optimizer_model.observed}
    warnings = [*work.plan.task.warnings, *(line for seen in roles.values() for line in seen.warnings())]
    left_out = {role: {"left_out": list(seen.left_out)} for role, seen in roles.items() if seen.left_out}
    endpoints = {"endpoints": left_out} if left_out else {}
    dev = work.scorer.known(work.loop.best, "dev") if work.loop.steps else None
    return {
        "method": work.plan.method.name,
        "models": {"task": work.task_model.identity, "optimizer": work.optimizer_model.identity},
        "embedder": work.embedder.name,
        "rows": {
            name: len(work.plan.task.examples(name)) for name in ("train", "dev", "test", "format", "demos")
        },
        "unreadable_dev_replies_of_best": dev.unreadable if dev else None,
        "excluded_examples": {name: len(work.scorer.excluded(name)) for name in ("dev", "test")},
        "warnings": warnings,
        "optimism": _optimism(work),
        "limits": work.limits(),
        # Prompt tokens that servers took from their own prefix caches, where they tell.
        "cached_tokens": {
            "task": work.task_model.tally.cached_tokens,
            "optimizer": work.optimizer_model.tally.cached_tokens,
        },
        **lost,
        **endpoints,
    }


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("gpo", "xllamacpp", "aiohttp", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
