"""The form that an endpoint is asked to hold a reply to (`response_format` on the wire)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gpo.errors import ConfigError
from gpo.task.answer.choice import ChoiceReader, find_options
from gpo.task.answer.label import LabelReader
from gpo.task.answer.reader import AnswerReader
from gpo.task.answer.structured.json_reader import JsonReader

_KEY = "answer"
_STRICT = frozenset(
    [
        "type",
        "enum",
        "const",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "anyOf",
        "title",
        "description",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minItems",
        "maxItems",
    ]
)
"""The keywords that strict mode takes."""


def check_structured(reader: AnswerReader, *, chat: bool) -> None:
    """Raise `ConfigError` where `task.answer.structured` has no form to ask for."""
    if not chat:
        raise ConfigError("task.answer.structured: needs a chat model; leave models.task.chat out")
    if isinstance(reader, JsonReader) and reader.schema is None:
        raise ConfigError("task.answer.structured: needs task.answer.schema, which replies are held to")
    if not isinstance(reader, LabelReader | ChoiceReader | JsonReader):
        raise ConfigError("task.answer.structured: is for answers of kind label, choice and json")


def reply_format(reader: AnswerReader, question: str) -> str:
    """The value of `response_format` for a reply to `question`, as JSON: one of the labels or of the question's letters
    under the key "answer", which every reader knows, or the schema. "" where a question lists no options."""
    if isinstance(reader, JsonReader):
        schema, strict = dict(reader.schema or {}), _is_strict(reader.schema or {})
    else:
        words = list(reader.labels) if isinstance(reader, LabelReader) else list(find_options(question))
        if not words:
            return ""
        schema, strict = _object({_KEY: {"type": "string", "enum": words}}), True
    named = {"name": _KEY, "schema": schema, **({"strict": True} if strict else {})}
    return json.dumps({"type": "json_schema", "json_schema": named}, ensure_ascii=False, sort_keys=True)


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _is_strict(schema: Mapping[str, Any], *, outermost: bool = True) -> bool:
    """Whether OpenAI's strict mode is known to take it: every key of every object is required, there are no others, and
    no keyword is used of which that mode says nothing."""
    named = schema.get("type")
    types = {named} if isinstance(named, str) else set(named or ())
    if (outermost and (types != {"object"} or "anyOf" in schema)) or not schema.keys() <= _STRICT:
        return False
    if not types and "anyOf" not in schema:
        return False
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    if "array" in types or "items" in schema:
        inner.append(schema.get("items"))
    closed = not (types & {"object"} or "properties" in schema) or (
        schema.get("additionalProperties") is False
        and set(schema.get("required", ())) == set(schema.get("properties", {}))
    )
    return closed and all(isinstance(part, dict) and _is_strict(part, outermost=False) for part in inner)
