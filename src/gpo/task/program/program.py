"""A program: the user's own function of prompts, a row and a model, known by its name or by an identity of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gpo.errors import FOREIGN, ConfigError
from gpo.task.example import Example
from gpo.task.metrics.own import OwnMetric, is_async

AT_ONCE = 128
"""Runs of a program that are under way at most, unless the user says another number."""


Demonstrate = Callable[[Mapping[str, Any], float | None], Mapping[str, tuple[str, str]]]
"""Of a row and the score of its last run (None: it was not run, or failed) to what may be shown of it: input and output
of each prompt, by its name."""


@dataclass(frozen=True, slots=True)
class Program:
    """`run(prompts, row, model)`, sync or async, called `name` in messages; `at_once` runs are under way at most.

    Without an `identity` it works by calls of `model`, which are journaled each. With one it does its own work: it is
    called without a model, `run(prompts, row)`, and its outputs are journaled as those of a model of that identity.
    One with `demonstrate` takes demonstrations within its prompts (`gpo.task.demonstrations`).
    """

    run: Callable[..., Any]
    name: str
    identity: str = ""
    at_once: int = AT_ONCE
    demonstrate: Demonstrate | None = None

    @property
    def counts_calls(self) -> bool:
        """Whether a run is one call, as that of a program's own work is; how many any other one makes nobody knows."""
        return bool(self.identity)

    @property
    def is_async(self) -> bool:
        """Whether a call returns at once something to await; any other function is called in a thread."""
        return is_async(self.run)


class ProgramMetric(OwnMetric):
    """A metric of a program: it is called with the output as the program returned it, and with the row."""

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        check_arguments(function, name, ("output", "row"), "task.metric")
        super().__init__(function, name)

    def call(self, prediction: Any, example: Example) -> Any:
        """As `OwnMetric.call`; the error says what kind of output it was."""
        try:
            return self.function(prediction, frozen_row(example.row))
        except FOREIGN as error:
            raise self._failed_on(prediction, example, error) from error

    def _failed_on(self, output: Any, example: Example, error: BaseException) -> ConfigError:
        failed = self._failed(example, error)
        return ConfigError(f"{failed}; the program returned {type(output).__name__}")


def make_program(run: Any, identity: Any, concurrency: Any, key: str = "gpo.Task.from_program") -> Program:
    """`run` as a program. Raises `ConfigError` where it cannot be called so."""
    if isinstance(run, Program):
        return run
    if not callable(run):
        raise ConfigError(
            f"{key}: run must be a function of prompts, row and model, not {type(run).__name__}"
        )
    if identity is not None and (not isinstance(identity, str) or not identity.strip()):
        raise ConfigError(f"{key}: identity must be a text that says which program this is, such as 'rag-2'")
    if not isinstance(concurrency, int) or isinstance(concurrency, bool) or concurrency < 1:
        raise ConfigError(f"{key}: concurrency must be a number of runs from 1 on")
    name = getattr(run, "__qualname__", None) or type(run).__name__
    wanted = ("prompts", "row") if identity else ("prompts", "row", "model")
    check_arguments(run, name, wanted, key)
    return Program(run, name, identity or "", concurrency)


def check_arguments(function: Callable[..., Any], name: str, wanted: tuple[str, ...], key: str) -> None:
    """Raise `ConfigError` where `function` does not take as many arguments as there are names in `wanted`."""
    try:
        inspect.signature(function).bind(*wanted)
    except ValueError:  # a builtin without a signature
        return
    except TypeError:
        given = ", ".join(wanted)
        raise ConfigError(f"{key}: {name} must take {len(wanted)} arguments: {given}") from None


def frozen_row(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row that a program cannot change for the next run: read-only, and lists and mappings within it are copies. Any
    other object is shared by all runs."""
    try:
        return MappingProxyType({name: _copied(value) for name, value in values.items()})
    except RecursionError:  # holds itself
        return MappingProxyType(dict(values))


def _copied(value: Any) -> Any:
    if type(value) is dict:
        return {key: _copied(part) for key, part in value.items()}
    if type(value) is list or type(value) is tuple:
        return type(value)(_copied(part) for part in value)
    return value
