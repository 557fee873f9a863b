"""The JSON schema of `gpo.yaml`: every key described, what runs accepted, what is refused refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from gpo.cli.main import app
from gpo.config.json_schema import json_schema, schema_text

SCHEMA = json_schema()
README = Path(__file__).parents[2] / "README.md"
MODELS = {"task": {"model": "a"}, "optimizer": {"model": "a"}}
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "number": (int, float), "integer": (int,),
    "boolean": (bool,), "null": (type(None),),
}  # fmt: skip


def keys(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key of every section."""
    for section in (schema, *schema["$defs"].values()):
        for key, value in section.get("properties", {}).items():
            yield f"{section['title']}.{key}", value


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether `value` is what `schema` says, as far as an editor checks it."""
    if "$ref" in schema:
        return fits(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    for word in ("anyOf", "oneOf"):
        if word in schema and not any(fits(value, one) for one in schema[word]):
            return False
    typed = "type" not in schema or isinstance(value, TYPES[schema["type"]])
    if not typed or not re.search(schema.get("pattern", ""), str(value)):
        return False
    if isinstance(value, bool) and schema.get("type") in ("number", "integer"):
        return False
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, above = schema.get("minimum", value), schema.get("exclusiveMinimum")
        return value >= low and (above is None or value > above)
    if isinstance(value, list):
        return all(fits(item, schema.get("items", {})) for item in value)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        rest = schema.get("additionalProperties", True)
        if not set(schema.get("required", ())) <= value.keys():
            return False
        if not all(fits(key, schema.get("propertyNames", {})) for key in value):
            return False
        inner = ((item, known.get(key, rest)) for key, item in value.items())
        return all(allowed if isinstance(allowed, bool) else fits(item, allowed) for item, allowed in inner)
    return True


def test_every_key_is_described() -> None:
    found = dict(keys(SCHEMA))
    assert len(found) > 100
    assert [name for name, value in found.items() if not value.get("description", "").strip()] == []


def test_the_command_prints_it() -> None:
    done = CliRunner().invoke(app, ["schema"])
    assert done.stdout == schema_text()


def test_the_readme_s_configuration_fits() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", README.read_text(), flags=re.DOTALL)
    configs = [data for block in blocks if "models" in (data := yaml.safe_load(block))]
    assert configs
    assert all(fits(data, SCHEMA) for data in configs)


@pytest.mark.parametrize(
    "changes",
    [
        {"method": {"trajectory": "recency"}},
        {"method": {"name": "apo-original", "rounds": 2}},
        {"method": "ape"},
        {"task": {"data": "x", "split": {"train": 0.3, "dev": 20}, "answer": {"labels": [1, True, "x"]}}},
        {"budget": {"max_usd": 2, "max_calls": None}},
    ],
    ids=range(5),
)
def test_what_runs_fits(changes: dict[str, Any]) -> None:
    assert fits({"task": {"data": "x"}, "models": MODELS, **changes}, SCHEMA)


@pytest.mark.parametrize(
    "changes",
    [
        {"methods": "gpo"},
        {"method": {"trajectory": "recent"}},
        {"task": {"data": "x", "split": {"train": 0}}},
        {"task": {"data": "x", "split": {"training": 5}}},
        {"task": {}},
        {"optimize": {"epochs": "many"}},
    ],
    ids=range(6),
)
def test_what_is_refused_does_not_fit(changes: dict[str, Any]) -> None:
    assert not fits({"task": {"data": "x"}, "models": MODELS, **changes}, SCHEMA)
