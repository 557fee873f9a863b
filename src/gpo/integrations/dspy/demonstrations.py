"""Demonstrations of a DSPy predictor as text within a prompt of GPO's, and back: inputs and outputs as JSON each.

So a compiled program can be made again from its prompts alone. In a saved program DSPy keeps the same values of a
demonstration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Traced:
    """What a predictor was given and said in a run."""

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]


def find_traced(predictors: Mapping[int, str], trace: Sequence[Any]) -> dict[str, Traced]:
    """By predictor, named by its `id`, of the calls in a run the last."""
    found: dict[str, Traced] = {}
    for predictor, inputs, prediction in trace:
        name, signature = predictors.get(id(predictor)), predictor.signature
        if name is not None:
            outputs = _pick(prediction.toDict(), signature.output_fields)
            found[name] = Traced(_pick(inputs, signature.input_fields), outputs)
    return found


def choose_demonstration(
    signature: Any, example: Any, traced: Traced | None, *, accepted: bool
) -> Written | None:
    """What may be shown of `example` to a predictor of `signature`. Where the example labels all its outputs these,
    with the inputs that it has or else those of its last run; else what was said in that run, if it was `accepted`.
    None where there is neither."""
    values = example.toDict()
    given = dict(traced.inputs) if traced else {}
    inputs = {**given, **_pick(values, signature.input_fields)}
    labels = _pick(values, signature.output_fields)
    if inputs and len(labels) == len(signature.output_fields):
        return write_demonstration(inputs, labels)
    if traced is None or not accepted or len(traced.outputs) < len(signature.output_fields):
        return None
    return write_demonstration(traced.inputs, traced.outputs)


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
