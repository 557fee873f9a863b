"""Which kind the answers of a column are, by the expected ones: labels, numbers, yes or no, lettered choices, text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gpo.task.answer.label import BooleanReader
from gpo.task.answer.number import NumberReader

MOST_LABELS = 40
"""Different answers that are taken for labels, at most."""
_ROWS_A_LABEL = 3
_LETTER = re.compile(r"\(?[A-J]\)?")
_OPTION = re.compile(r"(?:^|\s)\(?A[.):]\s.*(?:^|\s)\(?B[.):]\s", re.DOTALL)
_WORDS = ("yes", "no", "true", "false")


@dataclass(frozen=True, slots=True)
class ProposedAnswer:
    """`kind` and `labels` as the configuration has them, `metric` by its name, and `why` for a person."""

    kind: str
    metric: str
    why: str
    labels: tuple[str, ...] = ()


def propose_answer(targets: Sequence[Any], questions: Sequence[str]) -> ProposedAnswer:
    """The answer kind of `targets`, the cells of the target column; `questions` are the inputs of the same rows, in
    which lettered options are looked for."""
    if any(isinstance(value, list | tuple) for value in targets):
        return ProposedAnswer("text", "rouge_l", "a row has several references")
    texts = [str(value).strip() for value in targets]
    different = sorted(set(texts))
    if _are_booleans(different):
        words = " or ".join(BooleanReader(different).words)
        return ProposedAnswer("boolean", "exact_match", f"every answer is {words}")
    if _are_letters(different) and _have_options(questions):
        return ProposedAnswer("choice", "exact_match", "every answer is the letter of an option")
    if _are_numbers(targets) and not _are_classes(different, len(texts)):
        return ProposedAnswer("number", "exact_match", "every answer is a number")
    longest = max(len(text.split()) for text in different)
    if 2 <= len(different) <= min(MOST_LABELS, len(texts) // _ROWS_A_LABEL) and longest <= 6:
        return ProposedAnswer("label", "exact_match", f"{len(different)} labels", tuple(different))
    mean = sum(len(text.split()) for text in texts) / len(texts)
    if mean < 4:
        return ProposedAnswer("text", "exact_match", f"{len(different)} different short answers")
    return ProposedAnswer("text", "rouge_l", f"free text of {mean:.0f} words on average")


def _are_booleans(different: Sequence[str]) -> bool:
    folded = {text.lower() for text in different}
    return 0 < len(folded) <= 2 and (folded <= {*_WORDS[:2]} or folded <= {*_WORDS[2:]})


def _are_letters(different: Sequence[str]) -> bool:
    return len(different) > 1 and all(map(_LETTER.fullmatch, different))


def _have_options(questions: Sequence[str]) -> bool:
    some = questions[:50]
    return bool(some) and sum(_OPTION.search(text) is not None for text in some) > 0.8 * len(some)


def _are_numbers(targets: Sequence[Any]) -> bool:
    reader = NumberReader()
    for value in targets:
        if isinstance(value, bool):
            return False
        try:
            reader.normal(value)
        except ValueError:
            return False
    return all(re.search(r"\d", str(value)) for value in targets)


def _are_classes(different: Sequence[str], rows: int) -> bool:
    """Whether numbers are names of classes: 0 and 1, or stars from 1 to 5, each in many rows."""
    few = len(different) <= 6 and rows >= 5 * len(different)
    return few and all(re.fullmatch(r"\d", text) for text in different)
