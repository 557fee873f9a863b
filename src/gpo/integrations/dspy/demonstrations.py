"""Demonstrations of a DSPy predictor as text within a prompt of GPO's, and back: inputs and outputs as JSON each.

So a compiled program can be made again from its prompts alone. In a saved program DSPy keeps the same values of a
demonstration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import dspy
from dspy.predict.predict import serialize_object

from gpo.errors import ConfigError
from gpo.task.demonstrations import Demonstration

Written = tuple[str, str]


def write_demonstration(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Written | None:
    """Both as JSON; None where a value has no form in it."""
    try:
        return _write(inputs), _write(outputs)
    except (TypeError, ValueError, RecursionError):
        return None


def read_demonstrations(found: Sequence[Demonstration]) -> list[Any]:
    """As a predictor's `demos`. Raises `ConfigError` for one that `write_demonstration` did not write."""
    return [dspy.Example(augmented=True, **_read(item.input), **_read(item.answer)) for item in found]


def find_labelled(signature: Any, example: Any) -> Written | None:
    """What `example` says itself of a predictor of `signature`: all its inputs and outputs; None where it lacks one."""
    values = example.toDict()
    inputs, outputs = signature.input_fields, signature.output_fields
    if any(values.get(name) is None for name in (*inputs, *outputs)):
        return None
    return write_demonstration(_pick(values, inputs), _pick(values, outputs))


def find_traced(predictors: Mapping[int, str], trace: Sequence[Any]) -> dict[str, Written]:
    """What the predictors, named by their `id`, were given and said in a run; of several calls of one the last."""
    found: dict[str, Written] = {}
    for predictor, inputs, prediction in trace:
        name, signature = predictors.get(id(predictor)), predictor.signature
        given = _pick(inputs, signature.input_fields)
        written = write_demonstration(given, _pick(prediction.toDict(), signature.output_fields))
        if name is not None and written is not None:
            found[name] = written
    return found


def _pick(values: Mapping[str, Any], names: Any) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name) is not None}


def _write(values: Mapping[str, Any]) -> str:
    return json.dumps({name: serialize_object(value) for name, value in values.items()}, ensure_ascii=False)


def _read(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigError(
            "a demonstration in the prompts is none of a DSPy predictor: its fields are missing"
        )
    return found
