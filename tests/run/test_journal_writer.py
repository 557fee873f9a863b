"""A step as `result.json` tells it, by hand."""

from __future__ import annotations

from dataclasses import replace

from gpo.optimizer.candidates import Candidate
from gpo.optimizer.parts.trajectory import Shown
from gpo.optimizer.search import StepRecord
from gpo.optimizer.skeleton import add_score
from gpo.optimizer.state import Information
from gpo.run.journal_writer import step_summary

BETTER = Candidate(raw="<START>b<END>", prompt="b", parent="a", distance=4, attempt=0, rejected=None)
RECORD = StepRecord(
    step=3,
    total=9,
    limit=30,
    parent="a",
    parent_score=0.25,
    information=Information("a"),
    shown=Shown(()),
    meta_prompt=(),
    candidates=(add_score(BETTER, score=0.75), add_score(replace(BETTER, prompt="", rejected="is empty"))),
    chosen="b",
    chosen_score=0.75,
    best="b",
    best_score=0.75,
)


def test_a_step_with_a_new_prompt() -> None:
    assert step_summary(RECORD) == {
        "step": 3,
        "edit_limit": 30,
        "edit_distance": 4,
        "prompt": "b",
        "dev": 0.75,
        "best_dev": 0.75,
        "candidates_scored": 1,
        "candidates_rejected": 1,
    }


def test_a_step_that_found_none_changes_no_word() -> None:
    kept = replace(RECORD, candidates=RECORD.candidates[1:], chosen="a", chosen_score=0.25)
    assert step_summary(kept)["edit_distance"] == 0
    assert (step_summary(kept)["candidates_scored"], step_summary(kept)["candidates_rejected"]) == (0, 1)
