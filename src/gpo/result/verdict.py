"""Whether the best prompt is really better, in one word and in one plain sentence."""

from __future__ import annotations

from gpo.evaluation.statistics import Verdict, decide, few_rows_warning
from gpo.result.result import Result
from gpo.text import points


def decide_verdict(result: Result) -> Verdict:
    """What the numbers of `result` say, by today's rule, whatever an earlier version wrote beside them."""
    gain = result.improvement
    unchanged = result.best_prompt == result.initial_prompt
    return decide(gain.test, gain.ci_low, gain.ci_high, gain.p_value, unchanged=unchanged)


def name_verdict(result: Result) -> str:
    """The verdict in a word or two, for the head of a page: "Better", "Not shown", "Worse" or "Nothing readable"; where
    no test was to decide "Unchanged", "Not tested" or "Unfinished"."""
    if is_unreadable(result):
        return "Nothing readable"
    if result.status != "complete":
        return "Unfinished"
    return VERDICT_NAMES[decide_verdict(result)]


VERDICT_NAMES = {
    Verdict.BETTER: "Better",
    Verdict.WORSE: "Worse",
    Verdict.NOT_SHOWN: "Not shown",
    Verdict.NO_TEST: "Not tested",
    Verdict.UNCHANGED: "Unchanged",
}


def is_unreadable(result: Result) -> bool:
    """Whether no reply to the best prompt on dev could be read, so that its scores say nothing."""
    rows = (result.extra.get("rows") or {}).get("dev")
    unreadable = result.extra.get("unreadable_dev_replies_of_best")
    return bool(result.extra.get("stopped")) or (bool(rows) and unreadable == rows)


def describe_verdict(result: Result) -> str:
    """A sentence for people, the same on every screen. Accuracy differences are in points of 100."""
    if result.status != "complete":
        return describe_unfinished(result)
    found = decide_verdict(result)
    if found is Verdict.UNCHANGED:
        return _unchanged(result)
    if found is Verdict.NO_TEST:
        return "The held-out test set was not evaluated, so it is not known whether the prompt is better."
    told = f"{format_gain(result.improvement.test)} points on the held-out test set"
    shown = {
        Verdict.BETTER: f"Better: {told} ({_certainty(result)}).",
        Verdict.WORSE: f"Worse: {told} ({_certainty(result)}); keep the initial prompt.",
    }
    return shown.get(found, f"Not shown to be better: {told}, within noise ({_certainty(result)}).")


def describe_unfinished(result: Result) -> str:
    """How far a run came that its budget or an interruption ended."""
    if result.extra.get("stopped"):
        return "Stopped before its first step: no reply to the initial prompt could be read."
    steps = "1 step" if len(result.steps) == 1 else f"{len(result.steps)} steps"
    head = (
        f"Stopped by its budget after {steps}"
        if result.status == "budget"
        else f"Interrupted after {steps}; the same command goes on with it"
    )
    unchanged = result.best_prompt == result.initial_prompt
    return far(head, result.scores.initial.dev, result.scores.best.dev, unchanged=unchanged)


def far(head: str, initial: float | None, best: float | None, *, unchanged: bool) -> str:
    """`head` with the dev scores (0..1) that a run has so far, and what they do not show."""
    if best is None or initial is None:
        return f"{head}. No prompt is scored on all of dev yet."
    if unchanged:
        found = f"no prompt has a better dev score than the initial one ({points(initial)}) yet"
    else:
        found = f"the best dev score so far is {points(best)}, the initial prompt's {points(initial)}"
    return f"{head}; {found}. Whether it is really better, only the held-out test set will show."


def _unchanged(result: Result) -> str:
    if not result.steps:
        return "Scored only: this method tries no other prompt."
    if not any(step.get("candidates_scored") for step in result.steps):
        return "No better prompt found: no candidate could be scored."
    return "No better prompt found: the initial prompt has the best dev score."


def warn_of_few_rows(result: Result) -> str:
    """One line where the test split was too small to show much, "" elsewhere."""
    return few_rows_warning(result.improvement.rows, result.improvement.detectable)


def _certainty(result: Result) -> str:
    gain = result.improvement
    return describe_certainty(gain.ci_low, gain.ci_high, gain.p_value)


def describe_certainty(low: float | None, high: float | None, p_value: float | None) -> str:
    """How sure a difference is: its 95 % interval in points, and the p-value where it is known."""
    told = "" if p_value is None else f", p = {p_value:.2g}"
    return f"95 % interval {format_gain(low)} to {format_gain(high)}{told}"


def format_gain(share: float | None) -> str:
    """A difference in points with its sign; none of 0.0."""
    text = points(share or 0.0, signed=True)
    return "0.0" if text in ("+0.0", "-0.0") else text
