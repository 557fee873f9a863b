"""Why steps found no candidate that they could score, in one line for a whole run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from gpo.optimizer.search import StepRecord

_CAUSES = (
    (r"\d+ words, more than optimize\.max_words \((\d+)\)", r"longer than optimize.max_words: \1"),
    (r"is cut off at models\.optimizer\.max_tokens", "cut at models.optimizer.max_tokens"),
    (r"changes \d+ words, more than the limit of .*", "over the edit limit (optimize.edit_distance)"),
    (r"changes a frozen part: .*", "with a change in a part of optimize.frozen"),
    (r"copies an example: .*", "with a copy of an example"),
    (r"drops the placeholder (.*)", r"without the placeholder \1"),
    (r"invents the placeholder .*", "with a placeholder that there is not"),
    (r"repeats the list of scored prompts", "with the list of scored prompts"),
    (r"does not change the current prompt", "without a change"),
    (r"was the current prompt before", "that had been the current prompt"),
    (r"\d+ characters, more than (\d+)", r"longer than \1 characters"),
    (r"contains (.*)", r"with \1"),
    (r"is (.*)", r"\1"),
)
"""What `gpo.optimizer` says of one candidate, and how many of them are called together."""


def rejected_steps(steps: Sequence[StepRecord], max_tokens: int) -> str:
    """One line where in some of `steps` every candidate was rejected, with how many for which reason over all of them;
    "" where there is no such step. `max_tokens` is `models.optimizer.max_tokens` as the run had it."""
    empty = [step for step in steps if step.candidates and all(item.rejected for item in step.candidates)]
    if not empty:
        return ""
    counts = Counter(_cause(item.rejected or "") for step in empty for item in step.candidates)
    causes = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    told = ", ".join(f"{count:,} {_with_limit(cause, max_tokens)}" for cause, count in causes)
    total = counts.total()
    what = f"all {total:,} candidates were" if total > 1 else "the only candidate was"
    return f"in {len(empty):,} of {len(steps):,} steps {what} rejected: {told}; the report shows each of them"


def _cause(reason: str) -> str:
    for pattern, cause in _CAUSES:
        if match := re.fullmatch(pattern, reason, re.DOTALL):
            return match.expand(cause)
    return reason


def _with_limit(cause: str, max_tokens: int) -> str:
    return f"{cause}: {max_tokens}" if cause.endswith("models.optimizer.max_tokens") else cause
