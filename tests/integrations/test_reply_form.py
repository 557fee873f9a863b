"""The form of a reply that a program asks for reaches a model that is a Python function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gpo

FORM = {"type": "json_object"}


def ask_for_form(prompt: str, row: Mapping[str, Any], model: Any) -> str:
    return str(model(f"{prompt} {row['input']}", response_format=FORM))


def ask_plainly(prompt: str, row: Mapping[str, Any], model: Any) -> str:
    return str(model(f"{prompt} {row['input']}"))


def evaluate(program: Callable[..., str], model: Callable[..., str]) -> None:
    rows = {
        name: [{"input": f"{name} {n}", "target": "x"} for n in range(3)] for name in ("train", "dev", "test")
    }
    task = gpo.Task.from_program(rows, program, metric=lambda output, row: 1.0)
    gpo.evaluate(task, "Go.", model=model)


def test_a_function_that_takes_a_form_is_given_it() -> None:
    given: list[Any] = []

    def takes_it(text: str, response_format: Any = "its own") -> str:
        given.append(response_format)
        return "x"

    evaluate(ask_for_form, takes_it)
    evaluate(ask_plainly, takes_it)
    assert given == [FORM] * 3 + ["its own"] * 3
