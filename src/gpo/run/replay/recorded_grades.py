"""What an own metric made of answers in an earlier process of a run: it is not called again for them.

So a run that goes on has the values and the feedback that the interrupted one had, whatever the metric asks or costs.
"""

from __future__ import annotations

from gpo.evaluation.rounds import Answered
from gpo.run.journal_writer import prompt_id
from gpo.storage.journal import Journal
from gpo.task.answer import Prediction
from gpo.task.metrics.own import Grade


class RecordedGrades:
    """The grades in `journal`. One counts where the same was read from the reply to the same calls; that the metric's
    code is the same, the run has checked."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __call__(self, answered: Answered) -> Grade | None:
        """The recorded grade of an answer. Raises `RunError` where the journal is damaged."""
        # Calls that this process makes itself have no grade yet: only those of an earlier one are looked up.
        if not answered.calls or not all(key in self._journal.recorded for key in answered.calls):
            return None
        prompt, example = prompt_id(answered.prompt), answered.example.id
        for score in self._journal.scores(prompt, answered.split, example):
            same = score.calls == answered.calls and score.prediction == _as_json(answered.prediction)
            if same and score.value is not None and not score.unreadable:
                return Grade(score.value, self._journal.feedback(prompt, answered.split, example))
        return None


def _as_json(prediction: Prediction) -> object:
    return list(prediction) if isinstance(prediction, tuple) else prediction
