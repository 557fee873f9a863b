"""What Python users see: the exported names, and every keyword in help()."""

from __future__ import annotations

import inspect
import pydoc

import pytest

import gpo
from gpo.config.schema import Config
from gpo.options import RunOptions, Settings
from gpo.task.task import Task


@pytest.mark.parametrize("name", gpo.__all__)
def test_every_exported_name_is_there_and_documented(name: str) -> None:
    assert (getattr(gpo, name).__doc__ or "").strip()


@pytest.mark.parametrize("function", [gpo.optimize, gpo.aoptimize])
def test_help_shows_every_key(function: object) -> None:
    shown = pydoc.render_doc(function)
    for key in RunOptions.__annotations__:
        assert f"{key}: " in shown.split("\n    ")[0], key
        assert f"`{key}`" in pydoc.render_doc(gpo.optimize)


def test_the_sections_of_a_configuration_are_keywords() -> None:
    elsewhere = {"task", "models"}
    assert set(Config.model_fields) <= set(RunOptions.__annotations__) | elsewhere
    assert set(Settings.__annotations__) <= set(inspect.signature(gpo.evaluate).parameters)


def test_an_unknown_keyword_is_named(tmp_path: object) -> None:
    task = Task.from_rows([{"input": str(i), "target": "a"} for i in range(9)])
    with pytest.raises(gpo.GPOError, match="epochs"):
        gpo.optimize(task, models=lambda text: "a", epochs=3)  # type: ignore[call-arg]
