"""What users may rely on, read from the code: configuration keys, Python names, commands and export formats.

`docs/compatibility.md` promises that none of it goes. `contract_0_1_0.json` holds what version 0.1.0 had. It is written
with the code of 0.1.0, never with that of today, which would promise what is there today. Laid out as in `old_run.py`:

    cd OLD && PYTHONPATH=$PWD/src:$PWD python -m tests.release.contract > contract_0_1_0.json
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from typer.main import get_command

import gpo
from gpo.cli.main import app
from gpo.config.schema import Config
from gpo.export.formats import FORMATS

KEPT = Path(__file__).with_name("contract_0_1_0.json")


def describe() -> dict[str, dict[str, list[str]]]:
    """By kind, each thing with what belongs to it: a key with its named values, a function with its parameters."""
    schema = Config.model_json_schema()
    return {
        "keys": dict(sorted(_keys(schema, schema["$defs"]))),
        "names": {name: sorted(_members(name)) for name in sorted(gpo.__all__)},
        "commands": dict(sorted(_commands("gpo", get_command(app)))),
        "formats": {name: [] for name in sorted(FORMATS)},
    }


def find_missing(
    before: Mapping[str, Mapping[str, list[str]]], now: Mapping[str, Mapping[str, list[str]]]
) -> list[str]:
    """What of `before` is not in `now`, such as "keys method: sgdm" or "names Task"."""
    missing: list[str] = []
    for kind, things in before.items():
        for name, parts in things.items():
            if name not in now.get(kind, {}):
                missing.append(f"{kind} {name}")
                continue
            missing += [f"{kind} {name}: {part}" for part in parts if part not in now[kind][name]]
    return missing


def _keys(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, list[str]]]:
    """Every key with the values that it names; sections are followed wherever they stand in a choice."""
    found: dict[str, set[str]] = {}
    for key, told in schema.get("properties", {}).items():
        full = f"{path}{key}"
        values = found.setdefault(full, set())
        for part in _parts(told):
            values |= {json.dumps(value) for value in (*part.get("enum", ()), *_constants(part))}
            if "$ref" in part:
                definition = definitions[part["$ref"].rpartition("/")[2]]
                values |= {json.dumps(value) for value in definition.get("enum", ())}
                for name, more in _keys(definition, definitions, f"{full}."):
                    found.setdefault(name, set()).update(more)
    yield from ((name, sorted(values)) for name, values in found.items())


def _parts(told: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield told
    for choice in ("anyOf", "oneOf", "allOf"):
        for part in told.get(choice, ()):
            yield from _parts(part)


def _constants(part: Mapping[str, Any]) -> list[Any]:
    return [part["const"]] if "const" in part else []


def _members(name: str) -> set[str]:
    """Parameters of a function; what a module exports; of a class its fields and public attributes. Of `Task` only the
    ways to make one are promised: what else it has is between GPO's own rooms."""
    thing = getattr(gpo, name)
    if inspect.ismodule(thing):
        return set(getattr(thing, "__all__", ()))
    if not inspect.isclass(thing):
        return set(inspect.signature(thing).parameters)
    fields = {field.name for field in dataclasses.fields(thing)} if dataclasses.is_dataclass(thing) else set()
    own = {name for kind in thing.__mro__[:-1] if kind.__module__.startswith("gpo") for name in vars(kind)}
    return {
        member
        for member in own | fields
        if not member.startswith("_") and (name != "Task" or member.startswith("from_"))
    }


def _commands(name: str, command: Any) -> Iterator[tuple[str, list[str]]]:
    yield name, sorted(flag for parameter in command.params for flag in parameter.opts)
    for inner, below in getattr(command, "commands", {}).items():
        yield from _commands(f"{name} {inner}", below)


if __name__ == "__main__":
    json.dump(describe(), sys.stdout, indent=1)
    sys.stdout.write("\n")
