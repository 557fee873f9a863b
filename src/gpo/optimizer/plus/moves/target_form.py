"""What the expected answers of train and dev say of an answer's form, as a sentence for a prompt.

For programs, whose metric is often a function of the user's that says nothing of it. Rows of test are never read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from gpo.task.task import Task

FEW = 12
"""Words of the longest answer up to which all are called short."""
REPEATED = 3
"""Rows a label at least, for answers that are taken for labels."""
MOST_LABELS = 12
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


def list_targets(task: Task) -> list[str]:
    """The expected answers that a search may know, as text; none that is empty."""
    splits = task.splits
    rows = [*splits.train, *splits.dev, *splits.format, *splits.demos]
    return [text for row in rows if (text := task.target_text(row).strip())]


def is_short(targets: Sequence[str]) -> bool:
    """Whether all are a few words."""
    return bool(targets) and _count_words(targets) <= FEW


def describe_form(targets: Sequence[str]) -> str:
    """A sentence that asks for answers like `targets`: labels, numbers, JSON or few words; "" where they have no form
    in common."""
    if not targets:
        return ""
    if keys := _common_keys(targets):
        return f"Answer with one line of JSON that has the keys {', '.join(keys)}, and nothing else."
    labels = list(dict.fromkeys(targets))
    if 2 <= len(labels) <= MOST_LABELS and len(targets) >= REPEATED * len(labels) and is_short(labels):
        return f"Answer with exactly one of these: {', '.join(sorted(labels))}."
    if all(map(_NUMBER.fullmatch, targets)):
        return "Answer with the number alone, in digits."
    if not is_short(targets):
        return ""
    most = _count_words(targets)
    return "Answer with one word." if most == 1 else f"Answer in at most {most} words."


def _count_words(targets: Sequence[str]) -> int:
    return max(len(text.split()) for text in targets)


def _common_keys(targets: Sequence[str]) -> list[str]:
    """The keys that all have, in the order of the first; none where one is no JSON object."""
    found = []
    for text in targets:
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return []
        if not isinstance(data, dict):
            return []
        found.append(data)
    return [key for key in found[0] if all(key in one for one in found)]
