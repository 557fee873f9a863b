"""`gpo.method`: parts replaced by options or own objects, in runs under the run's own settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.config.schema import EditDistanceConfig, OptimizeConfig
from gpo.optimizer.parts.edit_distance import Cosine, Fixed
from gpo.optimizer.parts.information import PromptInformation
from gpo.optimizer.parts.refinement import Editing, Generation
from gpo.optimizer.parts.trajectory import Recency, Relevance, Summarization
from tests.optimizer.published_runs import START, Optimizer, answer, task


class Halving:
    """An own schedule."""

    def limit(self, step: int, total: int) -> int | None:
        return 64 >> step


def optimize(run_dir: Path | None = None, **changes: Any) -> gpo.Result:
    models = {"task": answer, "optimizer": Optimizer()}
    settings = {"optimize": {"epochs": 1, "candidates": 2}, **changes}
    return gpo.optimize(task(), prompt=START, models=models, run_dir=run_dir, **settings)


def test_an_own_schedule_takes_the_place_of_the_papers() -> None:
    result = optimize(method=gpo.method("gpo", edit_distance=Halving(), trajectory="recency"))
    # 40 train rows in batches of 8 are 5 steps.
    assert [step["edit_limit"] for step in result.steps] == [64, 32, 16, 8, 4]
    assert result.extra["method"] == "gpo with trajectory=recency, edit_distance=Halving"


def test_a_method_without_replacements_is_the_row() -> None:
    same = [optimize(method=method).steps for method in ("sgdm", gpo.method("sgdm"))]
    assert same[0] == same[1]
    assert optimize(method=gpo.method("sgdm")).extra["method"] == "sgdm"


def test_options_become_parts_under_the_runs_settings() -> None:
    own = Fixed(7)
    composed = gpo.method("pe2", edit_distance=own, refinement="editing")
    settings = OptimizeConfig(k=5, batch_size=4, edit_distance=EditDistanceConfig(initial=20, final=2))
    built = composed.build(settings, "released")
    assert built.information == PromptInformation(True, True, batch_size=4, drop_remainder=True)
    assert built.trajectory == Recency(5, descending=True)
    assert built.edit_distance is own
    assert built.refinement == Editing()
    plain = gpo.method("gpo").build(settings)
    assert (plain.trajectory, plain.edit_distance) == (Relevance(5), Cosine(20, 2))
    assert (plain.information, plain.refinement) == (
        PromptInformation(True, False, batch_size=4),
        Generation(),
    )


def test_parts_that_remember_are_new_in_every_run() -> None:
    composed = gpo.method("sgdm")
    first, second = composed.build().trajectory, composed.build().trajectory
    assert isinstance(first, Summarization)
    assert first is not second


def test_a_run_goes_on_with_the_same_parts_alone(tmp_path: Path) -> None:
    method = gpo.method("opro", edit_distance=Halving())
    first = optimize(tmp_path / "run", method=method)
    # Complete: the same call again returns the result and asks nobody.
    again = optimize(tmp_path / "run", method=gpo.method("opro", edit_distance=Halving()))
    assert json.dumps(first.steps) == json.dumps(again.steps)
    with pytest.raises(gpo.GPOError, match="method"):
        optimize(tmp_path / "run", method=gpo.method("opro", edit_distance="fixed"))
    with pytest.raises(gpo.GPOError, match="method"):
        optimize(tmp_path / "run", method="opro")


@pytest.mark.parametrize(
    ("name", "parts", "told"),
    [
        ("gop", {}, r"^method: there is no 'gop'; .*gpo"),
        ("apo-original", {}, r"^method: there is no 'apo-original'; .*apo"),
        ("gpo", {"trajectory": "recent"}, r"^method: trajectory has no option 'recent'; .*recency"),
        (
            "gpo",
            {"edit_distance": Halving},
            r"^method: edit_distance is the class Halving; .*limit\(step, total\)",
        ),
        (
            "gpo",
            {"edit_distance": 7},
            r"^method: edit_distance is a value of type int; .*limit\(step, total\)",
        ),
        ("gpo", {"refinement": Halving()}, r"^method: refinement is a value of type Halving; .*template"),
    ],
)
def test_what_is_no_part_is_one_line(name: str, parts: dict[str, Any], told: str) -> None:
    with pytest.raises(gpo.GPOError, match=told) as caught:
        gpo.method(name, **parts)
    assert "\n" not in str(caught.value)


def test_it_is_among_the_public_names() -> None:
    assert "method" in dir(gpo)
    assert "method" in gpo.__all__
