"""How the best prompt came about: each change on the way from the initial one, with what it won and lost on dev."""

from __future__ import annotations

from dataclasses import dataclass

from gpo.report.charts.curve import value_of
from gpo.report.charts.tree import ancestry
from gpo.report.views import RunView
from gpo.result.folding import Part, fold
from gpo.result.part_changes import changed_parts
from gpo.result.wording import format_percent
from gpo.run.journal_writer import prompt_id
from gpo.storage.journal_reader import JournalReader

_LONGEST_SAME, _KEPT = 24, 6
"""As for the prompt itself, but here it is the changed words that matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One change: the step (from 1), the candidate's name, dev scores in points before and after, examples that were
    scored higher and lower than before (None where they are not known), and the words that changed, by the name of
    their prompt ("" where there is one only)."""

    step: int
    name: str
    before: str
    after: str
    won: int | None
    lost: int | None
    distance: int | None
    changes: list[tuple[str, list[Part]]]


def build_path(run: RunView, reader: JournalReader) -> list[Move]:
    """The changes in their order."""
    means: dict[str, float | None] = {
        item.prompt: value_of(item)
        for step in run.steps
        for item in step.candidates
        if value_of(item) is not None
    }
    means[run.initial_prompt] = run.initial_dev
    scores: dict[str, dict[str, float]] = {}

    def values(prompt: str) -> dict[str, float]:
        if prompt not in scores:
            scores[prompt] = {
                score.example_id: score.value
                for score in reader.scores(prompt_id(prompt), "dev")
                if score.value is not None
            }
        return scores[prompt]

    moves = []
    for item in ancestry(run):
        before, after = values(item.parent), values(item.prompt)
        both = before.keys() & after.keys()
        moves.append(
            Move(
                step=item.step + 1,
                name=item.name,
                before=format_percent(means.get(item.parent)),
                after=format_percent(means.get(item.prompt)),
                won=sum(after[key] > before[key] for key in both) if both else None,
                lost=sum(after[key] < before[key] for key in both) if both else None,
                distance=item.distance,
                changes=[
                    (part.name, fold(part.pieces(), _LONGEST_SAME, _KEPT))
                    for part in changed_parts(item.parent, item.prompt)
                ],
            )
        )
    return moves
