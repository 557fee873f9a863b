"""Seconds that 120 calls of an own metric of 50 ms take with the default concurrency, sync and async.

`uv run python -m benchmarks.own_metric`. The model is a Python function that answers at once; all else is GPO's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import gpo

ROWS, SECONDS = 120, 0.05


def sync_metric(prediction: str, target: str) -> float:
    """Waits as a call to a service would."""
    time.sleep(SECONDS)
    return float(prediction == target)


async def async_metric(prediction: str, target: str) -> float:
    """Waits as an async client would."""
    await asyncio.sleep(SECONDS)
    return float(prediction == target)


def measure(metric: Callable[..., Any]) -> float:
    """Seconds of one evaluation of all rows."""
    rows = [{"input": f"item {number}", "target": str(number)} for number in range(ROWS + 2)]
    splits = {"train": rows[:1], "dev": rows[1:2], "test": rows[2:]}
    task = gpo.Task.from_rows(splits, metric=metric)
    started = time.perf_counter()
    gpo.evaluate(task, "Repeat it.", model=lambda text: text)
    return time.perf_counter() - started


def main() -> None:
    """Print the figures; a first evaluation, unmeasured, loads what is loaded once."""
    measure(lambda prediction, target: 1.0)
    for name, metric in (("sync", sync_metric), ("async", async_metric)):
        print(f"{name}: {measure(metric):.3f} s for {ROWS} calls of {1000 * SECONDS:.0f} ms")


if __name__ == "__main__":
    main()
