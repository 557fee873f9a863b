"""CPU time a call in the layers around the wire: `python -m benchmarks.layers` prints milliseconds a call.

The server is a process of its own and its CPU time does not count. What is measured is
the wire, the retries, the concurrency limit and the rate limits, each composition beside the bare wire.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gpo.model.factory import OpenModel
from gpo.model.layers.endpoint_limiter import EndpointLimiter, RoleQueue
from gpo.model.layers.rates import Rates
from gpo.model.layers.retry import RetrySettings
from gpo.model.model import Message, Model, Request
from gpo.model.openai.client import OpenAIClient
from gpo.run.compose import compose_sending

CONCURRENCY = 64
Make = Callable[[str], Model]


def bare(base_url: str) -> Model:
    """The wire alone."""
    return OpenAIClient(base_url=base_url, model="m")


def layered(base_url: str, rates: Rates | None = None) -> Model:
    """As `gpo.run.compose` puts it together for an endpoint, with an adaptive limit."""
    queue = RoleQueue(EndpointLimiter(CONCURRENCY, adapts=True), CONCURRENCY, rates)
    opened = OpenModel(
        client=bare(base_url), queue=queue, retry=RetrySettings(), cost=lambda tokens: None, shareable=False
    )
    return compose_sending(opened).model


def limited_by_rates(base_url: str) -> Model:
    """With both rate limits, so high that they never make a call wait."""
    return layered(base_url, Rates(requests_per_minute=10**8, tokens_per_minute=10**10))


COMPOSITIONS: dict[str, Make] = {
    "wire alone": bare,
    "retries, adaptive limit, wire": layered,
    "the same with rate limits": limited_by_rates,
}


@contextmanager
def server(delay: float) -> Iterator[str]:
    """The tests' server in a process of its own; gives its base URL."""
    command = [sys.executable, "-m", "tests.support.server", "--delay", str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


async def cpu_per_call(model: Model, calls: int) -> float:
    """Seconds of this process's CPU time a call, everything queued at once."""
    requests = [Request(messages=(Message("user", f"question {i}"),)) for i in range(calls)]
    window = iter(requests)

    async def work() -> None:
        for request in window:
            await model.complete(request)

    # More workers than places, so that calls wait in line as they do in a run.
    started = time.process_time()
    await asyncio.gather(*(work() for _ in range(2 * CONCURRENCY)))
    return (time.process_time() - started) / calls


async def measure(base_url: str, calls: int, rounds: int) -> dict[str, list[float]]:
    """CPU seconds a call by composition, `rounds` values each, the compositions in turn."""
    found: dict[str, list[float]] = {name: [] for name in COMPOSITIONS}
    models = {name: make(base_url) for name, make in COMPOSITIONS.items()}
    for model in models.values():
        await cpu_per_call(model, 200)  # connections are made
    for _ in range(rounds):
        for name, model in models.items():
            gc.collect()
            found[name].append(await cpu_per_call(model, calls))
    for model in models.values():
        await model.aclose()
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=__doc__)
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds a call takes at the server")
    options = parser.parse_args()
    with server(options.delay) as base_url:
        found = asyncio.run(measure(base_url, options.calls, options.rounds))
    least = statistics.median(found["wire alone"])
    for name, values in found.items():
        middle = statistics.median(values)
        lowest = f"lowest {1000 * min(values):.3f}"
        line = f"{name:32} {1000 * middle:.3f} ms a call ({lowest}), {middle / least:.2f} × the wire"
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
