"""Macro F1: the F1 of each class, and their mean, so that rare classes count as much as frequent ones."""

from __future__ import annotations

from collections.abc import Sequence

from gpo.task.answer import Answer, Prediction
from gpo.task.metrics.split_level import Counts
from gpo.task.metrics.texts import as_text, equal, normalised

_EXPECTED, _FOUND, _RIGHT = "expected ", "found ", "right "


class MacroF1:
    """F1 of class c is 2 · right / (expected + found), counted over the rows; the classes are those of the expected
    answers. An answer that is none of them, or cannot be read, misses its class and is no class of its own: so does
    scikit-learn's `f1_score(average="macro", labels=…)` with the expected classes as labels."""

    def counts(self, prediction: Prediction, targets: Sequence[Answer]) -> Counts:
        """One expected class, one that was found, and whether they are the same. Of several references the one that
        was given counts, else the first."""
        found = None if prediction is None else next((t for t in targets if equal(prediction, t)), prediction)
        right = found is not None and any(found is target for target in targets)
        expected = _name(found if right and found is not None else targets[0])
        row = {_EXPECTED + expected: 1.0}
        if found is not None:
            row[_FOUND + (expected if right else _name(found))] = 1.0
        if right:
            row[_RIGHT + expected] = 1.0
        return row

    def score(self, totals: Counts) -> float:
        """The mean of the classes that are expected at all."""
        classes = [
            name.removeprefix(_EXPECTED) for name, n in totals.items() if name.startswith(_EXPECTED) and n
        ]
        if not classes:
            return 0.0
        values = [
            2 * totals.get(_RIGHT + c, 0.0) / (totals[_EXPECTED + c] + totals.get(_FOUND + c, 0.0))
            for c in classes
        ]
        return sum(values) / len(values)


def _name(answer: Answer) -> str:
    return normalised(as_text(answer))
