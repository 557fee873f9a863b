"""How long a long reply holds up the event loop: five megabytes, from the wire to journal, store and answer.

    python -m benchmarks.long_reply [--megabytes 5] [--kind label]

A server in a process of its own answers every call with so much text. While four examples are scored a task on the same
loop asks for its turn every millisecond; printed is the longest that it had to wait, and how much processor time this
process used meanwhile: the rest was another process's turn.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import time
from multiprocessing.connection import Connection

from tests.support.server import ModelServer

import gpo
from benchmarks.results import say

WORDS = "Much can be said about this, and most of it was said before. "


def main() -> None:
    """Prints one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=5)
    parser.add_argument("--kind", default="label", choices=("label", "text"))
    arguments = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=_serve, args=(there, arguments.megabytes), daemon=True)
    server.start()
    longest, used, seconds = asyncio.run(_score(here.recv(), arguments.kind))
    server.terminate()
    say(
        f"{arguments.megabytes:g} MB a reply, answers of kind {arguments.kind}: the loop was held up for at most "
        f"{1000 * longest:.0f} ms, by its own work {1000 * used:.0f} ms, in {seconds:.1f} s"
    )


def _serve(told: Connection, megabytes: float) -> None:
    reply = WORDS * int(megabytes * 1e6 / len(WORDS)) + "So the answer is: left"
    with ModelServer(answer=lambda body: reply) as server:
        told.send(server.base_url)
        time.sleep(3600)


async def _score(base_url: str, kind: str) -> tuple[float, float, float]:
    rows = [{"input": f"Question {number}?", "target": "left"} for number in range(4)]
    answer = {"kind": kind, "labels": ["left", "right"]} if kind == "label" else {"kind": kind}
    task = gpo.Task.from_rows(
        {"train": rows[:2], "dev": rows[:2], "test": rows}, answer=answer, allow_overlap=True
    )
    longest = used = 0.0

    async def watch() -> None:
        nonlocal longest, used
        while True:
            begun, spent = time.perf_counter(), time.process_time()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - begun - 0.001)
            used = max(used, time.process_time() - spent)

    watcher = asyncio.create_task(watch())
    begun = time.perf_counter()
    found = await gpo.aevaluate(
        task,
        prompt="Left or right?",
        model={"model": "m", "base_url": base_url, "max_tokens": 10_000_000},
        split="test",
    )
    watcher.cancel()
    if kind == "label" and found.interval.mean != 1:
        raise SystemExit(f"the answers were not read: {found}")
    return longest, used, time.perf_counter() - begun


if __name__ == "__main__":
    main()
