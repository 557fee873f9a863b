"""One contender's measurement in a process of its own: score the questions, print one line of JSON.

What is timed is the scoring alone; imports, clients and a few calls to warm up come before.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

from benchmarks import clients, peers, raw
from benchmarks.questions import questions

WARM_UP = 16
_WARM_FROM = 1_000_000  # their numbers, far from those of the questions that count

CONTENDERS = {
    "gpo": clients.gpo,
    "raw": raw.raw,
    "aiohttp": clients.aiohttp,
    "openai": clients.openai,
    "openai_aiohttp": clients.openai_aiohttp,
    "dspy": peers.dspy,
    "dspy_async": peers.dspy_async,
    "gepa": peers.gepa,
    "promptolution": peers.promptolution,
}


def measure(name: str, url: str, calls: int, concurrency: int, scratch: Path) -> dict[str, Any]:
    """`seconds`, `cpu_seconds` (user and system, all threads of this process), `mean` and the `server`'s counts."""
    with CONTENDERS[name](url, concurrency, scratch) as prepare:
        prepare(questions(WARM_UP, _WARM_FROM))()
        score = prepare(questions(calls))
        ask_server(url, "reset")
        cpu, started = _cpu(), time.perf_counter()
        mean = score()
        seconds, used = time.perf_counter() - started, _cpu() - cpu
        return {"seconds": seconds, "cpu_seconds": used, "mean": mean, "server": ask_server(url, "counts")}


def ask_server(url: str, what: str) -> Any:
    """What the server says to "reset" or "counts"."""
    with urlopen(f"{url.removesuffix('/v1')}/{what}", timeout=60) as response:
        return json.load(response)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contender", description=__doc__)
    parser.add_argument("name", choices=CONTENDERS)
    parser.add_argument("--url", required=True)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=64)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="benchmark-") as folder:
        try:
            found = measure(options.name, options.url, options.calls, options.concurrency, Path(folder))
        except ModuleNotFoundError as error:
            found = {"missing": str(error.name)}
    sys.stdout.write(f"{json.dumps(found)}\n")
    sys.stdout.flush()
    os._exit(0)  # threads that a contender leaves behind are not waited for


if __name__ == "__main__":
    main()
