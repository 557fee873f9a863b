"""A keyword that a function does not take: the line says where it belongs, or what was meant."""

from __future__ import annotations

import pydoc
from typing import Any

import pytest

import gpo
from gpo.options import EvaluateOptions

from .interrupted import make_task


def answer(text: str) -> str:
    return "left"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"epochs": 3}, 'it belongs to gpo.optimize: gpo.optimize(…, optimize={"epochs": …})'),
        ({"max_usd": 3}, 'write budget={"max_usd": …}'),
        (
            {"temperature": 0},
            'it belongs to a model: write {"model": …, "temperature": …} in place of the model\'s name',
        ),
        ({"run_dir": "x"}, "it belongs to gpo.optimize: gpo.optimize(…, run_dir=…)"),
        ({"metric": "f1"}, "it belongs to gpo.Task.from_rows: gpo.Task.from_rows(…, metric=…)"),
        ({"labels": ()}, 'it belongs to gpo.Task.from_rows: gpo.Task.from_rows(…, answer={"labels": …})'),
        ({"trajectory": "none"}, "it belongs to gpo.method: gpo.method(…, trajectory=…)"),
        ({"sead": 1}, "did you mean seed?"),
        ({"models": answer}, "did you mean model?"),
    ],
)
def test_evaluate_points_to_the_right_place(given: dict[str, Any], line: str) -> None:
    with pytest.raises(gpo.ConfigError) as caught:
        gpo.evaluate(make_task(), "p", **{"model": answer, **given})
    assert str(caught.value).startswith(f"gpo.evaluate: {next(iter(given))!r} is not one of its options")
    assert str(caught.value).endswith(line)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"epochs": 3}, 'write optimize={"epochs": …}'),
        ({"epoch": 3}, 'did you mean epochs? Then write optimize={"epochs": …}'),
        ({"model": answer}, "did you mean models?"),
        ({"split": "dev"}, "it belongs to gpo.evaluate: gpo.evaluate(…, split=…)"),
        ({"budgets": {}}, "did you mean budget?"),
    ],
)
def test_optimize_points_to_the_right_place(given: dict[str, Any], line: str) -> None:
    with pytest.raises(gpo.ConfigError) as caught:
        gpo.optimize(make_task(), **{"models": answer, **given})
    assert str(caught.value).endswith(line)


async def test_so_do_the_ones_that_are_awaited() -> None:
    with pytest.raises(gpo.ConfigError, match=r"gpo.aoptimize: 'epochs' .* gpo.optimize\(…, optimize="):
        await gpo.aoptimize(make_task(), models=answer, epochs=3)  # type: ignore[call-arg]


def test_what_is_far_from_everything_gets_the_list() -> None:
    with pytest.raises(
        gpo.ConfigError, match="'zzzz' is not one of its options, which are task, prompt, model"
    ):
        gpo.evaluate(make_task(), "p", model=answer, zzzz=1)  # type: ignore[call-arg]


def test_a_missing_argument_is_told_after_a_wrong_one() -> None:
    with pytest.raises(gpo.ConfigError, match="did you mean models"):
        gpo.optimize(make_task(), model=answer)  # type: ignore[call-arg]


@pytest.mark.parametrize("function", [gpo.evaluate, gpo.aevaluate])
def test_help_lists_every_option(function: object) -> None:
    shown = pydoc.render_doc(function).split("\n    ")[0]
    for key in EvaluateOptions.__annotations__:
        assert f"{key}: " in shown, key
