"""A program that does its own work in the place of a model, so that journal, budget and limits are as for any call."""

from __future__ import annotations

import time
from types import MappingProxyType

from gpo.config.models import name_function
from gpo.errors import ConfigError, PermanentModelError
from gpo.evaluation.program_caller import FAILURES, ProgramCaller
from gpo.model.model import Reply, Request
from gpo.task.example import Example, Splits
from gpo.task.program.own_work import read_request, row_key, write_output
from gpo.task.program.program import frozen_row
from gpo.task.task import Task


class OwnWorkModel:
    """Answers the requests of `gpo.task.program.own_work` by running the program of `task`."""

    def __init__(self, task: Task) -> None:
        assert task.program is not None
        self._program = task.program
        self._caller = ProgramCaller(task.program)
        self._task = task
        self._rows: dict[str, Example] | None = None

    @property
    def identity(self) -> str:
        """`python/` and the identity that the user gave."""
        return name_function(self._program.identity)

    async def complete(self, request: Request) -> Reply:
        """The output as JSON. Raises `PermanentModelError` of scope "call" where the program fails, and `ConfigError`
        where it returns what cannot be journaled."""
        started = time.perf_counter()
        prompts, key = read_request(request)
        who = f"the program {self._program.name}"
        example = self._index().get(key)
        if example is None:
            raise ConfigError(
                f"{who}: a row changed since the run began; a program must leave its rows as they are"
            )
        try:
            output = await self._caller.call(MappingProxyType(prompts), frozen_row(example.row))
        except FAILURES as error:
            failure = self._caller.explain(error)
            raise PermanentModelError(f"{who} {failure} (row {example.id})", scope="call") from error
        if output is None:
            raise PermanentModelError(
                f"{who} returned nothing; return its output (row {example.id})", scope="call"
            )
        try:
            text = write_output(output)
        except (TypeError, ValueError, RecursionError):
            raise ConfigError(
                f"{who} has an identity, so its outputs are journaled, and it returned {type(output).__name__}, which "
                f"is no JSON value (row {example.id}); return text, numbers, lists or mappings of them"
            ) from None
        return Reply(texts=(text,), finish_reasons=("stop",), seconds=time.perf_counter() - started)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _index(self) -> dict[str, Example]:
        if self._rows is None:
            parts = [self._task.examples(name) for name in Splits.__slots__]
            self._rows = {row_key(example): example for part in parts for example in part}
        return self._rows
