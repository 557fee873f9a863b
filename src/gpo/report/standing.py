"""How a run stands: the verdict of one that is over, and how far one is that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpo.result.verdict import describe_verdict, far

if TYPE_CHECKING:
    from gpo.report.views import RunView


def describe_standing(run: RunView) -> str:
    """One sentence for people."""
    if run.result is not None:
        return describe_verdict(run.result)
    done = f"step {len(run.steps)} of {run.total}" if run.total else f"{len(run.steps)} steps"
    head = (
        f"The run goes on: {done} done"
        if run.status == "running"
        else f"Interrupted after {done}; the same command goes on with it"
    )
    return far(head, run.initial_dev, run.best_dev, unchanged=run.best_prompt == run.initial_prompt)
