"""Whether the best prompt is really better, in one plain sentence."""

from __future__ import annotations

from gpo.evaluation.statistics import Verdict, decide, few_rows_warning
from gpo.result.result import Result


def decide_verdict(result: Result) -> Verdict:
    """What the numbers of `result` say, by today's rule, whatever an earlier version wrote beside them."""
    gain = result.improvement
    unchanged = result.best_prompt == result.initial_prompt
    return decide(gain.test, gain.ci_low, gain.ci_high, gain.p_value, unchanged=unchanged)


def describe_verdict(result: Result) -> str:
    """A sentence for people. Accuracy differences are in points of 100."""
    found = decide_verdict(result)
    if found is Verdict.UNCHANGED:
        return "No better prompt found: the initial prompt has the best dev score."
    if found is Verdict.NO_TEST:
        return "The held-out test set was not evaluated, so it is not known whether the prompt is better."
    told = f"{_points(result.improvement.test)} points on the held-out test set"
    shown = {
        Verdict.BETTER: f"Better: {told} ({_certainty(result)}).",
        Verdict.WORSE: f"Worse: {told} ({_certainty(result)}); keep the initial prompt.",
    }
    return shown.get(found, f"Not shown to be better: {told}, within noise ({_certainty(result)}).")


def warn_of_few_rows(result: Result) -> str:
    """One line where the test split was too small to show much, "" elsewhere."""
    return few_rows_warning(result.improvement.rows, result.improvement.detectable)


def _certainty(result: Result) -> str:
    gain = result.improvement
    p_value = "" if gain.p_value is None else f", p = {gain.p_value:.2g}"
    return f"95 % interval {_points(gain.ci_low)} to {_points(gain.ci_high)}{p_value}"


def _points(share: float | None) -> str:
    text = f"{100 * (share or 0.0):+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text
