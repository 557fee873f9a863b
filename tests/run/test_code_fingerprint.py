"""An own metric is the same one after it was used: what it counts or loads as it runs does not identify it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from gpo.run.identity.code_fingerprint import _text, fingerprint_code
from tests.run.test_task_identity import optimize, task

_loaded: object | None = None
_calls = 0


def load() -> object:
    global _loaded
    _loaded = _loaded or Path("a model")
    return _loaded


def lazy(prediction: str, target: str) -> float:
    global _calls
    _calls += 1
    load()
    return float(_loaded is not None and prediction == target)


def counted(factor: float) -> Callable[[str, str], float]:
    calls = 0

    def metric(prediction: str, target: str) -> float:
        nonlocal calls
        calls += 1
        return factor * (prediction == target)

    return metric


class Judge:
    calls = 0

    def __init__(self, factor: float) -> None:
        self.factor = factor
        self.client: object | None = None

    def __call__(self, prediction: str, target: str) -> float:
        self.calls += 1
        self.connect()
        return self.factor * (prediction == self.answer) * (self.client is not None)

    def connect(self) -> None:
        self.client = self.client or Path("a client")

    @functools.cached_property
    def answer(self) -> str:
        return "left"


def test_what_it_counts_or_loads_as_it_runs_is_not_what_it_is(tmp_path: Path) -> None:
    things: list[Callable[[str, str], float]] = [lazy, counted(1.0), Judge(1.0)]
    for number, thing in enumerate(things):
        before = fingerprint_code(thing)
        optimize(task(metric=thing), tmp_path / str(number))
        assert fingerprint_code(thing) == before
        assert optimize(task(metric=thing), tmp_path / str(number)).status == "complete"
    others = [counted(0.5), Judge(0.5)]
    assert len({fingerprint_code(thing) for thing in [*things, *others]}) == 5


def test_a_source_that_is_gone_is_empty(tmp_path: Path) -> None:
    assert _text(str(tmp_path / "gone.py")) == ""
    assert _text(None) == ""
