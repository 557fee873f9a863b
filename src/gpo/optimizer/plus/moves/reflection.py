"""A candidate by reflection, the analogue of a gradient: written after a look at failures.

GEPA (arXiv 2507.19457) gains by it with strong models; small ones misread the causes (Ma et al., arXiv 2402.02101). So
its candidates have to win: they are tried a few times, and go on only while they reach the final of a step as often as
the others do. Failures are outcomes that are paid for already.
"""

from __future__ import annotations

from collections.abc import Iterable

from gpo.evaluation.outcome import Outcome
from gpo.optimizer.coordinates.view import describe_part
from gpo.optimizer.parts.information import describe_trace
from gpo.optimizer.templates import Templates
from gpo.task.program.parts import part_of
from gpo.task.task import Task

FAILURES = 4
"""Shown at most."""
LONGEST = 800
"""Characters of a reply that are shown."""


def write_reflection(
    task: Task,
    templates: Templates,
    words: str,
    outcomes: Iterable[Outcome],
    limit: int | None,
    *,
    part: str | None = None,
) -> str | None:
    """What the optimizer model is asked about `words`, or one `part` of them; None where there is no failure among
    `outcomes`."""
    failed = [outcome for outcome in outcomes if outcome.value is not None and outcome.value < 1]
    if not failed:
        return None
    return templates.render(
        "plus/reflection",
        prompt=part_of(words, task.parts, part) or "(no prompt)",
        part=describe_part(task, words, part),
        choices=task.answer_choices,
        answers=task.answer_form,
        limit=limit,
        failures=[
            {
                "question": outcome.example.input,
                "reply": outcome.reply.strip()[:LONGEST],
                "unreadable": outcome.unreadable,
                "read": str(outcome.prediction),
                "expected": task.target_text(outcome.example),
                "feedback": outcome.feedback,
                "trace": describe_trace(outcome),
            }
            for outcome in failed[:FAILURES]
        ],
    )
