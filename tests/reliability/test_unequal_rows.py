"""A row that one prompt alone could not be scored on is left out for all of them before they are compared."""

from __future__ import annotations

from pathlib import Path

import pytest

import gpo
from gpo.errors import PermanentModelError
from gpo.task.task import Task

DEV = 10
RIGHT = range(1, 6)
"""Rows that both prompts get right: half of all, five of nine without row 0."""


def task_model(text: str) -> str:
    row = int(text.split("row ")[1].split("?")[0])
    if "test" in text:
        return "left"
    if "closely" in text and row == 0:
        raise PermanentModelError("the provider refuses this one", scope="call")
    return "left" if row in RIGHT else "right"


def write(text: str) -> str:
    return "<START>Look closely<END>"


def test_a_prompt_is_not_better_for_a_row_that_it_was_not_asked(tmp_path: Path) -> None:
    rows = {
        split: [{"input": f"{split} row {i}?", "target": "left"} for i in range(count)]
        for split, count in (("train", 2), ("dev", DEV), ("test", 2))
    }
    result = gpo.optimize(
        Task.from_rows(rows, answer={"kind": "label", "labels": ["left", "right"]}),
        prompt="Look",
        models={"task": task_model, "optimizer": write},
        method={"trajectory": "none"},
        optimize={"epochs": 1, "candidates": 1, "resamples": 0},
        run_dir=tmp_path / "run",
    )
    # The initial prompt has 5 of 10 and the other one 5 of 9, but both have 5 of the 9 rows that both were asked.
    assert result.steps[0]["candidates_scored"] == 1
    assert result.extra["excluded_examples"] == {"dev": 1, "test": 0}
    assert result.best_prompt == "Look", "among equals the one that was scored first"
    assert result.scores.initial.dev == pytest.approx(5 / 9)
    assert (
        result.steps[0]["dev"]
        == result.steps[0]["best_dev"]
        == result.scores.best.dev
        == pytest.approx(5 / 9)
    )
