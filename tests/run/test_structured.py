"""`answer.structured` on the wire: which reply is held to which form, and an endpoint that does not take it."""

from __future__ import annotations

import json
from typing import Any

import pytest

import gpo
from gpo.errors import ConfigError
from gpo.model.model import Message, Request
from gpo.storage.codec import pack_request, unpack_request
from gpo.task.answer.structured.json_reader import JsonReader
from gpo.task.answer.structured.reply_format import reply_format
from tests.support.server import ModelServer, last_text

CHOICE = "Which?\n(A) one\n(B) two\n(C) three"


def task(answer: dict[str, Any], target: Any = "left", question: str = "Item") -> gpo.Task:
    rows = [{"input": f"{n} {question}", "target": target} for n in range(9)]
    return gpo.Task.from_rows(rows, split={"train": 3, "dev": 3, "test": 3}, answer=answer)


def evaluate(server: ModelServer, asked: gpo.Task) -> Any:
    return gpo.evaluate(asked, "Say.", model={"model": "m", "base_url": server.base_url})


def test_labels_are_an_enum_and_read_from_it(server: ModelServer) -> None:
    server.answer = lambda body: json.dumps({"answer": "größer"})  # escaped, as JSON may be
    found = evaluate(
        server, task({"kind": "label", "labels": ["größer", "kleiner"], "structured": True}, "größer")
    )
    assert (found.interval.mean, found.unreadable) == (1.0, 0)
    for body in server.bodies():
        schema = body["response_format"]["json_schema"]
        assert (body["response_format"]["type"], schema["strict"]) == ("json_schema", True)
        assert schema["schema"]["properties"] == {"answer": {"type": "string", "enum": ["größer", "kleiner"]}}
        assert schema["schema"]["required"] == ["answer"]
        assert schema["schema"]["additionalProperties"] is False


def test_a_choice_has_the_letters_of_its_question_in_the_second_round_only(server: ModelServer) -> None:
    server.answer = lambda body: '{"answer": "B"}' if "response_format" in body else "Let me think."
    found = evaluate(server, task({"kind": "choice", "structured": True, "rounds": 2}, "B", CHOICE))
    assert found.interval.mean == 1.0
    forms = [body.get("response_format") for body in server.bodies()]
    assert forms.count(None) == 3
    enums = [form["json_schema"]["schema"]["properties"]["answer"]["enum"] for form in forms if form]
    assert enums == [["A", "B", "C"]] * 3


@pytest.mark.parametrize("closed", [False, True])
def test_json_has_its_schema_strict_only_where_it_is_closed(server: ModelServer, closed: bool) -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"answer": {"type": "string"}}}
    if closed:
        schema |= {"required": ["answer"], "additionalProperties": False}
    server.answer = lambda body: '{"answer": "left"}'
    found = evaluate(
        server, task({"kind": "json", "schema": schema, "structured": True}, '{"answer": "left"}')
    )
    assert found.interval.mean == 1.0
    sent = server.bodies()[0]["response_format"]["json_schema"]
    assert (sent["schema"], sent.get("strict", False)) == (schema, closed)


CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("inner", "strict"),
    [
        ({"type": ["string", "null"]}, True),
        ({"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1}, True),
        ({"anyOf": [CLOSED, {"type": "null"}]}, True),
        ({**CLOSED, "type": ["object", "null"]}, True),
        ({"type": ["object", "null"]}, False),
        ({"type": ["object", "null"], "properties": {"a": {"type": "string"}}}, False),
        ({"properties": {"a": {"type": "string"}}}, False),
        ({"anyOf": [{"type": ["object", "null"]}]}, False),
        ({"type": "array"}, False),
        ({"type": "array", "items": {"type": "object"}}, False),
        ({}, False),
        ({"type": "string", "default": "x"}, False),
        ({"type": "string", "maxLength": 3}, False),
        ({"type": "object", "oneOf": [CLOSED]}, False),
        ({**CLOSED, "patternProperties": {"^b": {}}}, False),
        ({**CLOSED, "$defs": {"b": {"type": "object"}}}, False),
    ],
)
def test_strict_is_said_only_of_what_strict_mode_is_known_to_take(
    inner: dict[str, Any], strict: bool
) -> None:
    schema = {**CLOSED, "properties": {"a": inner}}
    form = json.loads(reply_format(JsonReader(schema), ""))["json_schema"]
    assert form.get("strict", False) is strict


def test_strict_is_not_said_of_alternatives_at_the_top() -> None:
    form = json.loads(reply_format(JsonReader({**CLOSED, "anyOf": [CLOSED]}), ""))
    assert "strict" not in form["json_schema"]


def test_an_endpoint_that_refuses_it_is_asked_without_and_said_once(server: ModelServer) -> None:
    server.refuse = frozenset({"response_format"})
    server.answer = lambda body: "left" if "Item" in last_text(body) else "?"
    found = evaluate(server, task({"kind": "label", "labels": ["left", "right"], "structured": True}))
    assert (found.interval.mean, found.left_out) == (1.0, ("response_format",))
    assert sum("response_format" in line for line in found.warnings) == 1
    assert not any("response_format" in body for body in server.bodies())


def test_the_form_is_part_of_what_a_call_is() -> None:
    plain = Request(messages=(Message("user", "q"),))
    formed = Request(messages=(Message("user", "q"),), response_format='{"type": "json_object"}')
    assert plain.key("m") == "64bfae7b72088143efe418868c907a3c"
    assert formed.key("m") != plain.key("m")
    assert unpack_request(pack_request(formed)) == formed
    assert b"response_format" not in pack_request(plain)


def test_a_function_cannot_take_it_and_that_is_said() -> None:
    asked = task({"kind": "label", "labels": ["left", "right"], "structured": True})
    found = gpo.evaluate(asked, "Say.", model=lambda text: "left")
    assert (found.interval.mean, found.left_out) == (1.0, ("response_format",))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"kind": "number"}, "is for answers of kind label, choice and json"),
        ({"kind": "json"}, r"needs task\.answer\.schema"),
    ],
)
def test_where_there_is_no_form_that_is_said(answer: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=rf"task\.answer\.structured: {words}"):
        task({**answer, "structured": True}, "1")
