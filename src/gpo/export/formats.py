"""The formats by name. A new one is a function from `Material` to a text, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gpo.errors import ConfigError
from gpo.export.dspy import as_dspy
from gpo.export.inspect_ai import as_inspect
from gpo.export.langchain import as_langchain
from gpo.export.material import Material, read_material
from gpo.export.plain import as_json, as_messages, as_text
from gpo.export.program import export_program, read_program
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


def export_run(run_dir: Path, name: str) -> str:
    """What the run in `run_dir` found, in the format `name`. Raises as `export`, and `RunError` where there is none."""
    if name in FORMATS and (program := read_program(run_dir)) is not None:
        return export_program(program, name)
    return export(read_material(run_dir), name)


def export(material: Material, name: str) -> str:
    """The best prompt in the format `name`. Raises `ConfigError` for an unknown one, and where the format cannot hold
    the prompt as it was measured."""
    if name not in FORMATS:
        raise ConfigError(f"--to {name}: is none of {', '.join(FORMATS)}")
    return FORMATS[name](material)
