"""Whether the best prompt is really better, in one plain sentence. Knows a result's numbers and no layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpo.result.result import Result

if TYPE_CHECKING:
    from gpo.report.data import RunView


def standing(run: RunView) -> str:
    """The verdict of a run that is over, and how far a run is that is not."""
    if run.status == "complete" and run.result is not None:
        return verdict(run.result)
    steps = f"step {len(run.steps)} of {run.total}" if run.total else f"{len(run.steps)} steps"
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


def verdict(result: Result) -> str:
    """A sentence for people. Accuracy differences are in points of 100."""
    if result.best_prompt == result.initial_prompt:
        return "No better prompt found: the initial prompt has the best dev score."
    gain, low, high = result.improvement.test, result.improvement.ci_low, result.improvement.ci_high
    if gain is None or low is None or high is None:
        return "The test split was not opened, so it is not known whether the prompt is better."
    interval = f"95 % interval {_points(low)} to {_points(high)}"
    if low > 0:
        return f"Better: {_points(gain)} points on the sealed test split ({interval})."
    if high < 0:
        return (
            f"Worse: {_points(gain)} points on the sealed test split ({interval}); keep the initial prompt."
        )
    return (
        f"Not shown to be better: {_points(gain)} points on the sealed test split, within noise ({interval})."
    )


def _points(share: float) -> str:
    text = f"{100 * share:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text
