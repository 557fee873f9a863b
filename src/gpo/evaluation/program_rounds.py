"""A program on one example: it is run with the model between it and the run's layers, and what it returns is graded.

A program that does its own work is asked like a model instead: its output is the reply.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gpo.errors import ConfigError, PermanentModelError
from gpo.evaluation.grading import Grader, UnreadableVerdict
from gpo.evaluation.outcome import Cut, Outcome, TracedCall
from gpo.evaluation.program_caller import FAILURES, ProgramCaller
from gpo.evaluation.program_model import ProgramModel
from gpo.evaluation.rounds import Answered, RecallGrade, ScorerSettings
from gpo.model.model import Model
from gpo.task.demonstrations import split_prompt
from gpo.task.example import Example
from gpo.task.metrics.own import Grade
from gpo.task.program.own_work import read_output, write_request
from gpo.task.program.parts import split_parts
from gpo.task.program.program import Program, frozen_row
from gpo.task.task import Task

SILENT = 8
"""Rows answered without any call after which a program is taken for one that does its own work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of a program on a row: its `output`, or why there is none (`failure`)."""

    output: Any = None
    failure: str | None = None
    calls: tuple[str, ...] = ()
    trace: tuple[TracedCall, ...] = ()
    cut: Cut | None = None


class ProgramRounds:
    """Runs the program of `task` with `model` between it and the run, and lets `grader` grade what it returns."""

    def __init__(self, task: Task, model: Model, settings: ScorerSettings, grader: Grader) -> None:
        assert task.program is not None
        self._program: Program = task.program
        self._task, self._model, self._settings, self._grader = task, model, settings, grader
        self._caller = ProgramCaller(task.program)
        self._silent, self._made_calls = 0, False

    async def outcome(
        self, prompt: str, example: Example, split: str = "", recall: RecallGrade | None = None
    ) -> Outcome:
        """What becomes of `prompt`, all parts of it, on `example`. Raises as `Rounds.outcome`, and `ConfigError` for a
        program that does its own work without saying who it is."""
        parts = split_parts(prompt, self._task.parts)
        async with self._caller.place():
            ran = await (self._ask(parts, example) if self._program.identity else self._run(parts, example))
        if ran.failure is not None:
            return Outcome(example, None, calls=ran.calls, failure=ran.failure, trace=ran.trace)
        return await self._grade(ran, prompt, example, split, recall)

    async def _ask(self, parts: Mapping[str, str], example: Example) -> Ran:
        """Of a program that does its own work."""
        try:
            reply = await self._model.complete(write_request(parts, example))
        except PermanentModelError as error:
            if error.scope == "run":
                raise
            return Ran(failure=str(error))
        return Ran(output=read_output(reply.text), calls=(reply.call,) if reply.call else ())

    async def _run(self, parts: Mapping[str, str], example: Example) -> Ran:
        words = {name: split_prompt(text)[0] for name, text in parts.items()}
        model = ProgramModel(self._model, self._settings, words, chat=self._task.chat)
        failure, output = "", None
        try:
            try:
                output = await self._caller.call(MappingProxyType(parts), frozen_row(example.row), model)
            except FAILURES as error:
                if model.ended_by is not None:
                    raise model.ended_by from error
                failure = self._why_failed(error)
            await model.settle()
        finally:
            misuse = model.misuse
            model.close()
        if model.ended_by is not None:
            raise model.ended_by
        if failure or misuse or output is None:
            said = misuse or failure or "returned nothing; return its output"
            failure = f"the program {self._program.name} {said} (row {example.id})"
        else:
            self._check_calls(model)
        return Ran(
            output=output, failure=failure or None, calls=model.calls, trace=model.trace, cut=model.cut
        )

    def _why_failed(self, error: BaseException) -> str:
        """What a program's error says of this row alone. Raises what is more than that."""
        if isinstance(error, PermanentModelError) and error.scope == "call":
            return f"had no reply to a call: {error}"
        return self._caller.explain(error)

    def _check_calls(self, model: ProgramModel) -> None:
        """Raise `ConfigError` where nothing that the program does goes through the model."""
        self._made_calls |= model.made_calls
        if self._made_calls:
            return
        self._silent += 1
        if self._silent >= min(SILENT, len(self._task.splits.dev)):
            raise ConfigError(
                f"the program {self._program.name} answered {self._silent} rows without a call of the model that it is "
                "given, so nothing of its work is journaled and all of it would be done again by a run that goes on; "
                'call model(…), or give Task.from_program identity="…" (its outputs are journaled then)'
            )

    async def _grade(
        self, ran: Ran, prompt: str, example: Example, split: str, recall: RecallGrade | None
    ) -> Outcome:
        text, key = describe_output(ran.output)
        read: Any = text
        targets: Any = ()
        if self._task.metric.own is None:
            if not isinstance(ran.output, str | int | float):
                raise ConfigError(
                    f"the program {self._program.name} returned {type(ran.output).__name__} (row {example.id}), and "
                    f"the metric {self._task.metric.name} reads text; return text, or give metric a function of "
                    "(output, row)"
                )
            read, targets = self._task.find_answer(text, example)
        try:
            if read is None:
                grade = Grade(0.0)
            elif self._task.metric.own is None:
                grade = await self._grader.grade(read, targets, example)
            else:
                asks = recall if ran.calls else None
                known = asks(Answered(prompt, split, example, read, ran.calls)) if asks else None
                grade = known or await self._grader.grade_output(ran.output, key, example)
        except PermanentModelError as error:
            if error.scope == "run":
                raise
            asked = (error.call,) if isinstance(error, UnreadableVerdict) and error.call else ()
            return Outcome(example, None, calls=(*ran.calls, *asked), failure=str(error), trace=ran.trace)
        return Outcome(
            example,
            grade.value,
            read,
            text,
            (*ran.calls, *grade.calls),
            cut=ran.cut,
            feedback=grade.feedback,
            trace=ran.trace,
        )


def describe_output(output: Any) -> tuple[str, str | None]:
    """An output as text for a reader, and what it is known by: None where no text says all of it."""
    if isinstance(output, str):
        return output, output
    try:
        text = json.dumps(output, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return str(output), None
    return text, f"{type(output).__name__} {text}"
