"""The part of JSON Schema that answers need. A keyword that is not read is refused, not ignored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "integer": lambda v: (
        (isinstance(v, int) and not isinstance(v, bool)) or (isinstance(v, float) and v.is_integer())
    ),
}
_LIMITS: Mapping[str, tuple[type | tuple[type, ...], Callable[[Any, Any], bool]]] = {
    "minimum": ((int, float), lambda v, bound: v >= bound),
    "maximum": ((int, float), lambda v, bound: v <= bound),
    "exclusiveMinimum": ((int, float), lambda v, bound: v > bound),
    "exclusiveMaximum": ((int, float), lambda v, bound: v < bound),
    "minLength": (str, lambda v, bound: len(v) >= bound),
    "maxLength": (str, lambda v, bound: len(v) <= bound),
    "minItems": (list, lambda v, bound: len(v) >= bound),
    "maxItems": (list, lambda v, bound: len(v) <= bound),
}
_SAID = frozenset({"title", "description", "examples", "default", "$schema", "$id"})
_READ = frozenset(
    {
        "type",
        "enum",
        "const",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "anyOf",
        *_LIMITS,
        *_SAID,
    }
)
_DEEPEST = 32


def find_fault(schema: Any, place: str = "", depth: int = 0) -> str:
    """What of `schema` is not read or not well formed, with its place; "" where all is."""
    if not isinstance(schema, Mapping):
        return f"{place or 'the schema'} must be a mapping"
    if depth > _DEEPEST:
        return f"{place} is nested too deeply"
    if unread := sorted(set(map(str, schema)) - _READ):
        known = ", ".join(sorted(_READ - _SAID))
        return f"{place or 'the schema'}: {unread[0]} is not supported; supported are {known}"
    for kind in _types(schema):
        if kind not in _KINDS:
            return f"{place or 'the schema'}: type {kind!r} is none of {', '.join(_KINDS)}"
    for name in _LIMITS.keys() & schema.keys():
        if not _KINDS["number"](schema[name]):
            return f"{place or 'the schema'}: {name} must be a number"
    forms: dict[str, tuple[type, str]] = {
        "properties": (dict, "mapping"),
        "required": (list, "list"),
        "enum": (list, "list"),
        "anyOf": (list, "list"),
    }
    for name, (form, word) in forms.items():
        if name in schema and not isinstance(schema[name], form):
            return f"{place or 'the schema'}: {name} must be a {word}"
    if not isinstance(schema.get("additionalProperties", True), bool):
        return f"{place or 'the schema'}: additionalProperties must be true or false"
    faults = (find_fault(part, f"{place}.{name}".strip("."), depth + 1) for name, part in _parts(schema))
    return next((fault for fault in faults if fault), "")


def find_misfit(schema: Mapping[str, Any], value: Any, place: str = "") -> str:
    """Why `value` does not fit `schema`, with the place of the first misfit; "" where it fits."""
    here = place or "the answer"
    if (types := _types(schema)) and not any(_KINDS[kind](value) for kind in types):
        return f"{here} is no {' or '.join(types)}"
    if "const" in schema and not same_json(value, schema["const"]):
        return f"{here} is not the constant"
    if "enum" in schema and not any(same_json(value, option) for option in schema["enum"]):
        return f"{here} is none of the values in enum"
    for name, (kinds, holds) in _LIMITS.items():
        if (
            name in schema
            and isinstance(value, kinds)
            and not isinstance(value, bool)
            and not holds(value, schema[name])
        ):
            return f"{here} is beyond {name}"
    if "anyOf" in schema and all(find_misfit(option, value, place) for option in schema["anyOf"]):
        return f"{here} fits no part of anyOf"
    return _find_inside(schema, value, place)


def same_json(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    return bool(one == other)


def _find_inside(schema: Mapping[str, Any], value: Any, place: str) -> str:
    if isinstance(value, dict):
        known = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                return f"{place or 'the answer'} lacks {name}"
        for name, part in value.items():
            inside = f"{place}.{name}".strip(".")
            if name in known:
                if misfit := find_misfit(known[name], part, inside):
                    return misfit
            elif schema.get("additionalProperties", True) is False:
                return f"{inside} is no key of the schema"
    if isinstance(value, list) and "items" in schema:
        misfits = (find_misfit(schema["items"], part, f"{place}[{n}]") for n, part in enumerate(value))
        return next((misfit for misfit in misfits if misfit), "")
    return ""


def _types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    kind = schema.get("type", ())
    return (kind,) if isinstance(kind, str) else tuple(map(str, kind))


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((str(name), part) for name, part in schema.get("properties", {}).items())
    if "items" in schema:
        yield "items", schema["items"]
    yield from ((f"anyOf[{n}]", part) for n, part in enumerate(schema.get("anyOf", ())))
