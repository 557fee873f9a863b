"""Tokens a second of the embedded engine, and what another build of its library is worth on this processor.

    python -m benchmarks.engine [--build DIR] [--rounds 3]

DIR is a folder into which another wheel of xllamacpp was unpacked. Each measurement has an engine of its own, the
builds take turns. `scoring` is a pass of 48 questions with replies of 24 tokens by the 0.5B, `writing` one of 6 replies
of 100 tokens at temperature 1 by the 1.5B.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import Session, say
from gpo.model.local.engine_fit import Needs, fit
from gpo.model.local.model import open_embedded
from gpo.model.local.weights import resolve
from gpo.model.model import Message, Request
from gpo.task.builtin import navigate

INSTALLED = "installed"


@dataclass(frozen=True)
class Work:
    """`count` replies of at most `tokens` tokens by `weights`."""

    name: str
    weights: str
    count: int
    tokens: int
    temperature: float


WORKS = (
    Work("scoring", "local/qwen2.5-coder-0.5b", 48, 24, 0.0),
    Work("writing", "local/qwen2.5-coder-1.5b", 6, 100, 1.0),
)


def requests(work: Work) -> list[Request]:
    """Different questions of about 100 tokens, the same ones each time."""
    rows = navigate.generate(random.Random(0), work.count)
    return [
        Request(
            messages=(Message("user", f"Explain step by step, at length.\n{row['input']}"),),
            temperature=work.temperature,
            max_tokens=work.tokens,
            seed=number,
        )
        for number, row in enumerate(rows)
    ]


@contextmanager
def library(folder: Path | None) -> Iterator[None]:
    """Engines that start meanwhile take xllamacpp from `folder`, or the installed one."""
    before = os.environ.get("PYTHONPATH")
    if folder is not None:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(folder), before)))
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("PYTHONPATH", None)
        else:
            os.environ["PYTHONPATH"] = before


def instructions(folder: Path | None) -> str:
    """What the library says that it was built for."""
    with library(folder):
        command = [sys.executable, "-c", "import xllamacpp; print(xllamacpp.get_system_info())"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


async def measure(work: Work, folder: Path | None) -> dict[str, Any]:
    """One pass on a fresh engine; loading and one call to warm up are not counted."""
    found = resolve(work.weights)
    settings = fit(found.path, Needs(longest=500, at_once=None))
    with library(folder):
        model = open_embedded(found.path, identity=found.identity, name=found.name, settings=settings)
        await model.start()
    try:
        await model.complete(Request(messages=(Message("user", "Hello"),), max_tokens=4))
        started = time.perf_counter()
        replies = await asyncio.gather(*(model.complete(request) for request in requests(work)))
        seconds = time.perf_counter() - started
    finally:
        await model.aclose()
    read = sum(reply.usage.prompt_tokens - reply.usage.cached_tokens for reply in replies)
    written = sum(reply.usage.completion_tokens for reply in replies)
    return {
        "prompt": read,
        "completion": written,
        "seconds": round(seconds, 2),
        "tokens_per_second": round((read + written) / seconds, 1),
    }


async def run(build: Path | None, rounds: int) -> None:
    """All works with all builds in turn, `rounds` times; then the medians."""
    builds: dict[str, Path | None] = {INSTALLED: None} | ({"other": build} if build else {})
    settings = {"rounds": rounds, "builds": {name: instructions(path) for name, path in builds.items()}}
    session = Session("engine", settings, ("xllamacpp",))
    for round_ in range(rounds):
        for work in WORKS:
            for name, path in builds.items():
                key = {"round": round_, "work": work.name, "build": name}
                if session.known(**key):
                    continue
                session.add({**key, **await measure(work, path)})
                say(str(session.measurements[-1]))
    summary = {}
    for work in WORKS:
        rates = {name: _median(session, work.name, name) for name in builds}
        if build:
            rates["other over installed"] = round(rates["other"] / rates[INSTALLED], 2)
        summary[work.name] = rates
        say(f"{work.name}: {rates}")
    say(f"written to {session.finish(summary).name}")


def _median(session: Session, work: str, build: str) -> float:
    found = [item for item in session.measurements if item["work"] == work and item["build"] == build]
    return round(statistics.median(float(item["tokens_per_second"]) for item in found), 1)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, help="a folder with another xllamacpp")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.build and not (arguments.build / "xllamacpp").is_dir():
        parser.error(f"--build {arguments.build}: there is no folder xllamacpp in it")
    asyncio.run(run(arguments.build, arguments.rounds))


if __name__ == "__main__":
    main()
