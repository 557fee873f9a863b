"""A search that corrects its estimates, and lists the initial prompt in its last comparison, as gpo+ does."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from gpo.report.charts.curve import draw_scores
from gpo.report.charts.tree import ancestry
from gpo.report.views import CandidateView, RunView, StepView


def candidate(step: int, index: int, prompt: str, parent: str, score: float) -> CandidateView:
    return CandidateView(
        step=step,
        index=index,
        prompt=prompt,
        raw=prompt,
        parent=parent,
        distance=1,
        attempt=0,
        rejected=None,
        score=score,
        estimate=None,
        estimate_rows=None,
        chosen=index == 0,
    )


def step(number: int, told: float, *candidates: CandidateView) -> StepView:
    return StepView(
        number=number,
        total=3,
        limit=None,
        parent=candidates[0].parent,
        parent_score=None,
        chosen=candidates[0].prompt,
        chosen_score=told,
        best_score=told,
        distance=1,
        reflection=None,
        summary=None,
        trajectory=(),
        meta_prompt=(),
        candidates=candidates,
    )


RUN = RunView(
    path=Path(),
    name="run",
    status="complete",
    config={},
    result=None,
    initial_prompt="first",
    initial_dev=0.456,
    best_prompt="third",
    best_dev=0.471,
    steps=(
        step(0, 0.782, candidate(0, 0, "second", "first", 0.49)),
        step(1, 0.488, candidate(1, 0, "third", "second", 0.48)),
        step(2, 0.471, candidate(2, 0, "third", "third", 0.47), candidate(2, 1, "first", "third", 0.45)),
    ),
    seconds=1.0,
    started=None,
)


def test_every_point_of_the_curve_lies_within_the_drawing() -> None:
    drawn = str(draw_scores(RUN))
    lines = re.findall(r'class="line (?:best|current)" d="([^"]*)"', drawn)
    assert len(lines) == 2
    heights = [float(y) for line in lines for _, y in re.findall(r"([\d.]+)[ ,]([-\d.]+)", line)]
    assert heights
    assert all(34 <= height <= 226 for height in heights)


def test_the_way_to_the_best_prompt_begins_at_the_initial_one() -> None:
    assert [item.prompt for item in ancestry(RUN)] == ["second", "third"]
    assert ancestry(replace(RUN, best_prompt="first")) == []
