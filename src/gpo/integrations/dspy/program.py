"""A DSPy program as a program of GPO's: a prompt for each predictor's instructions, a row for each example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from gpo.errors import ConfigError
from gpo.integrations.dspy.demonstrations import (
    Traced,
    Written,
    choose_demonstration,
    find_traced,
    read_demonstrations,
)
from gpo.integrations.dspy.language_model import journaled
from gpo.integrations.shown import as_text
from gpo.task.demonstrations import split_prompt


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The output of a run whose `reply` no adapter could read: the prompt's fault, and so a score of 0 and no
    failure."""

    reply: str


class StudentProgram:
    """`student` on `splits` of examples. `prompts` are its instructions by predictor, `rows` the rows of a task,
    `run` its program, `score` its metric by `metric(example, prediction, trace)`, and `demonstrate` says what may be
    shown of an example: a predictor's outputs as the example labels them, else what it said in a run of the example
    that had at least `accept` (0..1)."""

    def __init__(
        self, student: Any, splits: Mapping[str, Sequence[Any]], metric: Any, lm: Any, *, accept: float = 1.0
    ) -> None:
        self._student, self._metric, self._lm, self._accept = student, metric, lm, accept
        self._traced: dict[str, dict[str, Traced]] = {}
        self.prompts = {name: one.signature.instructions for name, one in student.named_predictors()}
        numbered = [(name, example) for name, part in splits.items() for example in part]
        self._examples = {str(number): example for number, (_, example) in enumerate(numbered)}
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in splits}
        for number, (name, example) in enumerate(numbered):
            self.rows[name].append(_row(str(number), example))

    def run(self, prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> Any:
        """The prediction of the program with these instructions, whose calls are calls of `model`."""
        program = self.with_prompts(prompts)
        names = {id(predictor): name for name, predictor in program.named_predictors()}
        # The user's settings (adapter, retrievers) hold here too: a context adds to them.
        with dspy.context(lm=journaled(model, self._lm), disable_history=True, trace=[]):
            try:
                prediction = program(**self._examples[row["id"]].inputs())
            except AdapterParseError as error:
                return Unreadable(str(error.lm_response or error))
            self._traced[row["id"]] = find_traced(names, dspy.settings.trace)
            return prediction

    def demonstrate(self, row: Mapping[str, Any], value: float | None) -> dict[str, Written]:
        """What may be shown of the row's example, by predictor, after a run of it that had the score `value`."""
        example, traced = self._examples[row["id"]], self._traced.get(row["id"], {})
        accepted = value is not None and value >= self._accept
        found = {
            name: choose_demonstration(one.signature, example, traced.get(name), accepted=accepted)
            for name, one in self._student.named_predictors()
        }
        return {name: shown for name, shown in found.items() if shown is not None}

    def score(self, output: Any, row: Mapping[str, Any]) -> tuple[float, str]:
        """What the metric says, and its feedback where it has any (as GEPA's metrics do)."""
        if isinstance(output, Unreadable):
            return 0.0, f"the reply did not have the fields that were asked for: {output.reply}"
        said = self._metric(self._examples[row["id"]], output, None)
        value = getattr(said, "score", said)
        return float(value), str(getattr(said, "feedback", None) or "")

    def with_prompts(self, prompts: Mapping[str, str]) -> Any:
        """A copy of the program with these instructions, and with the demonstrations that stand in them; a predictor
        without any there keeps the student's."""
        program = self._student.deepcopy()
        for name, predictor in program.named_predictors():
            words, demonstrations = split_prompt(prompts[name])
            predictor.lm = None
            predictor.signature = predictor.signature.with_instructions(words)
            if demonstrations:
                predictor.demos = read_demonstrations(demonstrations)
        return program


def _row(number: str, example: Any) -> dict[str, Any]:
    """An example as it is shown: its inputs a column each, and what is expected."""
    try:
        inputs = {f"{name}": as_text(value) for name, value in example.inputs().items()}
    except ValueError as error:
        raise ConfigError(f"example {number}: {error}") from None
    labels = {name: as_text(value) for name, value in example.labels().items()}
    target = next(iter(labels.values())) if len(labels) == 1 else as_text(labels)
    text = "\n".join(f"{name}: {value}" for name, value in inputs.items())
    return {"id": number, "question": text, "expected": target}
