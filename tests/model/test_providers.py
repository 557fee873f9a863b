"""Names, prices and the missing package of the providers that have a wire of their own."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from gpo.config.models import ModelConfig
from gpo.errors import ConfigError
from gpo.model.factory import open_model
from gpo.model.prices import price
from gpo.model.providers import native_name


def test_a_missing_extra_is_one_line_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-000000")
    monkeypatch.setenv("GEMINI_API_KEY", "key-000000")
    for module in ("any_llm", "anthropic", "google.genai"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for name in ("anthropic:claude-x", "gemini:gemini-x"):
        with pytest.raises(
            ConfigError, match=rf"models.task.model: {name} needs the extra any-llm, which is not .*--extra"
        ):
            open_model(ModelConfig(model=name), role="task")


@pytest.mark.parametrize("name", ["qwen3:0.6b", "anthropic/claude", "anthropic:", "gemini"])
def test_names_of_others_are_left_to_others(name: str) -> None:
    assert native_name(name) is None


def test_prices_come_from_the_table_of_the_provider() -> None:
    known = price(ModelConfig(model="anthropic:claude-sonnet-4-5"))
    assert known is not None
    assert (known.input, known.output) == (3.0, 15.0)
    assert price(ModelConfig(model="gemini:gemini-2.5-flash")) is not None
    assert price(ModelConfig(model="anthropic:claude-x", base_url="http://127.0.0.1:1")) is None
