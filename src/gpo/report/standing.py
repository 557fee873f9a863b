"""How a run stands: the verdict of one that is over, and how far one is that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpo.result.verdict import describe_verdict

if TYPE_CHECKING:
    from gpo.report.data import RunView


def describe_standing(run: RunView) -> str:
    """One sentence for people."""
    if run.status == "complete" and run.result is not None:
        return describe_verdict(run.result)
    steps = f"step {len(run.steps)} of {run.total}" if run.total else f"{len(run.steps)} steps"
    if run.result is not None and run.result.extra.get("stopped"):
        return "Stopped before its first step: no reply to the initial prompt could be read."
    head = {
        "running": f"The run goes on: {steps} done",
        "budget": f"Stopped by its budget after {steps}",
    }.get(run.status, f"Interrupted after {steps}; the same command goes on with it")
    if run.best_dev is None or run.initial_dev is None:
        return f"{head}. No prompt is scored on all of dev yet."
    if run.best_prompt == run.initial_prompt:
        found = f"no prompt has a better dev score than the initial one ({100 * run.initial_dev:.1f}) yet"
    else:
        best, initial = 100 * run.best_dev, 100 * run.initial_dev
        found = f"the best dev score so far is {best:.1f}, the initial prompt's {initial:.1f}"
    return f"{head}; {found}. Whether it is really better, only the test split will show."
