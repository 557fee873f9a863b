"""Whether the best prompt is really better, in one plain sentence. Knows a result's numbers and no layout."""

from __future__ import annotations

from gpo.run.result import Result


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
