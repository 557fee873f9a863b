"""The formats by name. A new one is a function from `Material` to a text, and a line here."""

from __future__ import annotations

from collections.abc import Callable

from gpo.errors import ConfigError
from gpo.export.dspy import as_dspy
from gpo.export.inspect_ai import as_inspect
from gpo.export.langchain import as_langchain
from gpo.export.material import Material
from gpo.export.plain import as_json, as_messages, as_text
from gpo.export.promptfoo import as_promptfoo

FORMATS: dict[str, Callable[[Material], str]] = {
    "text": as_text,
    "json": as_json,
    "messages": as_messages,
    "promptfoo": as_promptfoo,
    "inspect": as_inspect,
    "dspy": as_dspy,
    "langchain": as_langchain,
}


def export(material: Material, name: str) -> str:
    """The best prompt in the format `name`. Raises `ConfigError` for an unknown one, and where the format cannot hold
    the prompt as it was measured."""
    if name not in FORMATS:
        raise ConfigError(f"--to {name}: is none of {', '.join(FORMATS)}")
    return FORMATS[name](material)
