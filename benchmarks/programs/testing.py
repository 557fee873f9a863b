"""A DSPy program on held-out rows, outside of every optimizer: the same model, the same metric, a value a row."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from benchmarks.programs.registered import score

THREADS = 8


def test_values(program: Any, lm: Any, rows: Sequence[Any]) -> tuple[float, ...]:
    """The value of `program` on each of `rows`. A reply that DSPy's adapter cannot read is a 0. Raises what a failed
    call raises: that is no score."""

    def one(row: Any) -> float:
        with dspy.context(lm=lm, disable_history=True):
            try:
                return score(row, program(**row.inputs()))
            except AdapterParseError:
                return 0.0

    with ThreadPoolExecutor(THREADS) as threads:
        return tuple(threads.map(one, rows))
