"""MLflow's evaluation function as a program: one row at a time is asked for, and those that wait are evaluated
together.

MLflow's function may not be called from two threads at once, and has threads of its own for the rows of a call.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from gpo.errors import ConfigError
from gpo.integrations.mlflow.templates import MlflowTemplates
from gpo.integrations.shown import as_text

_FAILED = "Failed to invoke the predict_fn with {inputs}: "
"""How MLflow begins the output of a row whose predict_fn raised."""


class MlflowEvaluation:
    """`eval_fn` on `data`, as MLflow hands both to an optimizer. `rows` are the rows of a task, `run` its program,
    `score` its metric."""

    def __init__(
        self,
        eval_fn: Callable[[dict[str, str], list[dict[str, Any]]], list[Any]],
        data: Sequence[Mapping[str, Any]],
        templates: MlflowTemplates,
    ) -> None:
        self._eval, self._data, self._templates = eval_fn, data, templates
        self._turn, self._lock = threading.Lock(), threading.Lock()
        self._waiting: list[tuple[str, Mapping[str, str], int, Future[Any]]] = []

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What a row is known by: its number, and its inputs and what is expected as text."""
        return [
            {"id": str(number), "inputs": _text(record["inputs"]), "expected": _text(_expected(record))}
            for number, record in enumerate(self._data)
        ]

    def run(self, prompts: Mapping[str, str], row: Mapping[str, Any]) -> dict[str, Any]:
        """The score of one row, its output and what the scorers said. Raises what predict_fn or a scorer raised."""
        asked: Future[Any] = Future()
        key = json.dumps(dict(prompts), sort_keys=True)
        with self._lock:
            self._waiting.append((key, prompts, int(row["id"]), asked))
        with self._turn:
            if not asked.done():
                self._evaluate(key)
        return dict(asked.result())

    def score(self, output: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[float, str]:
        """The metric: what the scorers agreed on, with their rationales as feedback."""
        return output["score"], output["feedback"]

    def _evaluate(self, key: str) -> None:
        """Evaluate all that wait with the prompts of `key`."""
        with self._lock:
            mine = [one for one in self._waiting if one[0] == key]
            self._waiting = [one for one in self._waiting if one[0] != key]
        candidate = self._templates.restore(mine[0][1])
        try:
            records = self._eval(candidate, [dict(self._data[number]) for _, _, number, _ in mine])
        except BaseException as error:
            for *_, asked in mine:
                asked.set_exception(error)
            return
        for (*_, asked), record in zip(mine, records, strict=True):
            try:
                asked.set_result(_told(record))
            except Exception as error:
                asked.set_exception(error)


def _told(record: Any) -> dict[str, Any]:
    """A record of MLflow's as a JSON value. Raises `RuntimeError` where predict_fn failed, as that is no score of 0."""
    said = record.outputs
    if isinstance(said, str) and said.startswith(_FAILED.format(inputs=record.inputs)):
        raise RuntimeError(said[len(_FAILED.format(inputs=record.inputs)) :])
    if record.score is None:
        raise ConfigError("mlflow.genai.optimize_prompts: GPO needs scorers")
    reasons = {name: text for name, text in (record.rationales or {}).items() if text}
    feedback = "; ".join(f"{name}: {text}" for name, text in reasons.items())
    return {"score": float(record.score), "output": _text(said), "feedback": feedback}


def _expected(record: Mapping[str, Any]) -> Any:
    return record.get("expectations") or record.get("outputs")


def _text(value: Any) -> str:
    if isinstance(value, Mapping) and len(value) == 1:
        value = next(iter(value.values()))
    return as_text(value)
