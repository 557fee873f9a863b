"""JSON answers: found in fences and prose, unreadable where in doubt, checked by a schema, compared by field."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.errors import ConfigError, DataError
from gpo.task.answer import answer_reader
from gpo.task.answer.structured.schema import find_fault, find_misfit
from gpo.task.example import Example
from gpo.task.metric import metric
from tests.support.server import ModelServer, last_text

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "stars": {"type": "integer", "minimum": 1, "maximum": 5}},
    "required": ["city"],
}
PARIS = '{"city": "Paris", "stars": 4}'
EXAMPLE = Example("t:1", "q", "x")


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (PARIS, PARIS),
        ('{"stars":4,\n"city":"Paris"}\n', PARIS),
        (f"Here it is:\n```json\n{PARIS}\n```\nAnything else?", PARIS),
        (f"I think {PARIS} is right.", PARIS),
        (f"From the template {{name}} I get {PARIS}", PARIS),
        (f"{PARIS}\nor, in other words, {PARIS}", PARIS),
        # What does not fit the schema is no candidate.
        (f'The input {{"id": 7}} gives {PARIS}', PARIS),
        (f'```\n{{"id": 7}}\n```\n```json\n{PARIS}\n```', PARIS),
        # In doubt.
        (f'{PARIS} or {{"city": "Rome"}}', None),
        ('{"city": "Paris", "stars": 4', None),
        ('{"a": {"city": "Paris"}, "b": ', None),
        ('{"city": "Paris", "city": "Rome"}', None),
        ("{'city': 'Paris'}", None),
        ('{"city": "Paris", "stars": NaN}', None),
        ('{"city": "Paris", "stars": 6}', None),
        ('{"city": 5}', None),
        ('"Paris"', None),
        ("Paris, four stars", None),
        ("{" * 50_000, None),
        ("[" * 50_000, None),
        ("{}" * 50_000, None),
    ],
)
def test_what_is_read(reply: str, found: str | None) -> None:
    assert answer_reader("json", schema=SCHEMA).read(reply) == found


def test_lists_are_looked_for_where_the_schema_asks_for_one() -> None:
    reader = answer_reader("json", schema={"type": "array", "items": {"type": "string"}})
    assert reader.read('As in [1]: ["a", "b"].') == '["a", "b"]'
    assert answer_reader("json").read("As in [1].") is None
    assert answer_reader("json").read('{"a": [1]}') == '{"a": [1]}'


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        ({"type": "integer"}, 4.0, ""),
        ({"type": "integer"}, True, "is no integer"),
        ({"type": ["string", "null"]}, None, ""),
        ({"enum": [1, "a"]}, True, "none of the values"),
        ({"const": {"a": [1]}}, {"a": [1.0]}, ""),
        ({"minLength": 2}, "a", "beyond minLength"),
        ({"exclusiveMaximum": 2}, 2, "beyond exclusiveMaximum"),
        ({"maxItems": 1}, [1, 2], "beyond maxItems"),
        ({"items": {"type": "string"}}, ["a", 1], r"\[1\] is no string"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 3, "fits no part of anyOf"),
        ({"additionalProperties": False, "properties": {"a": {}}}, {"a": 1, "b": 2}, "b is no key"),
        ({"properties": {"a": {"required": ["b"]}}}, {"a": {}}, "a lacks b"),
    ],
)
def test_the_schema(schema: dict[str, Any], value: Any, words: str) -> None:
    assert find_fault(schema) == ""
    assert re.search(words or "^$", find_misfit(schema, value))


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"properties": {"a": {"pattern": "x"}}}, "a: pattern is not supported"),
        ({"type": "text"}, "type 'text' is none of"),
        ({"minimum": "1"}, "minimum must be a number"),
        ({"required": "a"}, "required must be a list"),
    ],
)
def test_a_schema_that_is_not_read_is_refused(schema: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=rf"task\.answer\.schema: .*{words}"):
        answer_reader("json", schema=schema)


@pytest.mark.parametrize(
    ("found", "expected", "value"),
    [
        ({"a": 1, "b": "x"}, {"a": 1, "b": "y"}, 1 / 2),
        ({"a": "Paris.", "b": 2.0}, {"a": "paris", "b": 2}, 1.0),
        ({"a": 1}, {"a": 1, "b": 2}, 1 / 2),
        # A field that was made up counts: three fields, two of them right.
        ({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2}, 2 / 3),
        ({"a": None, "b": 2}, {"b": 2}, 1.0),
        ({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 1, "c": 0}, "d": 3}, 2 / 3),
        ({"a": [1, 2]}, {"a": [2, 1]}, 0.0),
        ({"a": True}, {"a": 1}, 0.0),
        ({}, {}, 1.0),
    ],
)
def test_the_share_of_fields_by_hand(found: Any, expected: Any, value: float) -> None:
    assert metric("fields")(json.dumps(found), [json.dumps(expected)], EXAMPLE) == pytest.approx(value)


def test_a_run_over_the_wire(server: ModelServer, tmp_path: Path) -> None:
    rows = [{"input": f"mail {n}", "target": {"city": "Paris", "stars": n % 5 + 1}} for n in range(12)]

    def answer(body: dict[str, Any]) -> str:
        number = int(last_text(body).split("mail ")[1].split()[0])
        value = {"city": "Paris", "stars": number % 5 + 1 if number % 2 else 5}
        return "no idea" if number == 11 else f"Sure!\n```json\n{json.dumps(value)}\n```"

    server.answer = answer
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = {
        "data": {"train": str(data), "dev": str(data), "test": str(data)},
        "allow_overlap": True,
        "answer": {"kind": "json", "schema": SCHEMA},
    }
    found = gpo.evaluate(task, "Fill it in.", model={"model": "m", "base_url": server.base_url})
    # Odd rows are right but the last, which cannot be read; of even ones "stars" is right where it is 5 (row 4).
    expected = [1.0 if n % 2 or n == 4 else 0.5 for n in range(11)] + [0.0]
    assert list(found.values) == expected
    assert found.unreadable == 1


def test_a_target_that_does_not_fit_is_named_with_its_row() -> None:
    rows = [{"input": f"q{n}", "target": '{"city": 5}' if n == 4 else PARIS} for n in range(9)]
    split = {"train": 3, "dev": 3, "test": 3}
    with pytest.raises(DataError, match=r"the target does not fit task\.answer\.schema: city is no string"):
        gpo.Task.from_rows(rows, split=split, answer={"kind": "json", "schema": SCHEMA})
    with pytest.raises(ConfigError, match="compared by its fields"):
        gpo.Task.from_rows(rows, split=split, answer="json", metric="exact_match")
    with pytest.raises(ConfigError, match="fields is for JSON"):
        gpo.Task.from_rows(rows, split=split, metric="fields")
