"""The program of the comparison, registered with its reason before any optimizer was run on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import dspy

from benchmarks.proof.tasks import deal, open_task

NAME = "tickets"
Queue = Literal["refund", "delivery", "account", "payment", "product", "feedback"]
ADAPTER = dspy.ChatAdapter(use_json_adapter_fallback=False)
"""DSPy's own, without its second call where a reply cannot be read: a run is two calls at most, for every arm."""


class ReadMessage(dspy.Signature):  # type: ignore[misc, unused-ignore]
    """Say what the customer wants."""

    message: str = dspy.InputField()
    wish: str = dspy.OutputField()


class ChooseQueue(dspy.Signature):  # type: ignore[misc, unused-ignore]
    """Name the queue that the message goes to."""

    message: str = dspy.InputField()
    wish: str = dspy.InputField()
    queue: Queue = dspy.OutputField()


class Student(dspy.Module):  # type: ignore[misc, unused-ignore]
    """A customer's message → what the customer wants → one of six queues."""

    def __init__(self) -> None:
        super().__init__()
        self.read = dspy.Predict(ReadMessage)
        self.route = dspy.Predict(ChooseQueue)

    def forward(self, message: str) -> Any:
        """The prediction, with `queue`."""
        with dspy.context(adapter=ADAPTER):
            wish = self.read(message=message).wish
            return self.route(message=message, wish=wish)


def rows(
    seed: int, data_dir: Path | None, *, train: int, val: int, test: int
) -> tuple[list[Any], list[Any], list[Any]]:
    """Examples of train, val and test, dealt by `seed`; the same ones for every arm."""
    splits = deal(NAME, open_task(NAME, data_dir), seed, train=train, dev=val, test=test).splits
    return _examples(splits.train), _examples(splits.dev), _examples(splits.test)


def score(example: Any, prediction: Any, trace: Any = None) -> float:
    """1 for the right queue."""
    return float(str(getattr(prediction, "queue", "")) == example.queue)


def score_with_feedback(
    example: Any, prediction: Any, trace: Any = None, predictor: Any = None, predictor_trace: Any = None
) -> Any:
    """The same, and what was right, for the optimizers that read it."""
    value = score(example, prediction)
    said = "Correct." if value else f"Wrong: the right queue is {example.queue}."
    return dspy.Prediction(score=value, feedback=said)


def _examples(rows: Sequence[Any]) -> list[Any]:
    return [
        dspy.Example(message=row.input, queue=str(row.target), id=row.id).with_inputs("message")
        for row in rows
    ]
