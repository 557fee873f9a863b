"""A long run: 100,000 scored examples over the wire, journal and shared store on. Does it slow down, does it swell?

The server is a process of its own and answers at once, so that what is seen is GPO's own work. Run it with
`python -m benchmarks.many_calls`.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import time
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.clients import OTHER_ROWS, gpo_config
from benchmarks.questions import SYSTEM, questions
from benchmarks.results import ROOT, Session, say
from benchmarks.wire_speed import serving
from gpo.config.schema import Config
from gpo.evaluation.outcome import Outcome
from gpo.run.layers.shutdown import Shutdown
from gpo.run.plan import assemble
from gpo.run.progress import Progress
from gpo.run.work import Work
from gpo.storage.journal import Journal
from gpo.storage.shared_store import SharedStore
from gpo.task.task import Task

CALLS = 100_000
EXAMPLES = 1000  # of dev
PROMPTS = 10  # scored at once, as the candidates of a step are
CONCURRENCY = 64
BLOCKS = 10  # the run is cut into so many parts of equal size
MOST_MIB, MOST_GROWTH = 400, 0.10


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_calls", description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS, help=f"a multiple of {EXAMPLES * PROMPTS:,}")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds a call at the server")
    options = parser.parse_args()
    settings = {
        "calls": options.calls,
        "delay": options.delay,
        "examples": EXAMPLES,
        "concurrency": CONCURRENCY,
    }
    name = "many_calls" if options.calls == CALLS else "many_calls-part"
    session = Session(name, settings, ("gpo", "aiohttp"))
    session.forget()
    with serving(options.delay) as url, TemporaryDirectory(prefix="benchmark-") as folder:
        found = asyncio.run(run(url, options.calls, Path(folder)))
    session.add(found)
    ok = show(found)
    say(f"written: {session.finish({'met': ok}).relative_to(ROOT)}")
    if not ok:
        sys.exit(1)


async def run(url: str, calls: int, folder: Path) -> dict[str, Any]:
    """Score step by step; `blocks` holds wall and CPU milliseconds a call, and MiB resident, part by part."""
    rows = [{"input": item.user, "target": item.expected} for item in questions(EXAMPLES)]
    task = Task.from_rows({**OTHER_ROWS, "dev": rows}, answer="boolean", position="system")
    plan = assemble(Config.model_validate(gpo_config(url, CONCURRENCY)), base_dir=folder, task=task)
    journal = Journal(folder / "journal.sqlite")
    shared = SharedStore.open(folder / "store.sqlite", warn=say)
    work = Work(plan, journal, shared, Shutdown(), Progress())
    marks = [_mark()]
    done = 0
    keep = work.scorer.on_outcome

    def count(prompt: str, split: str, index: int, outcome: Outcome) -> None:
        nonlocal done
        if keep:
            keep(prompt, split, index, outcome)
        done += 1
        if done % (calls // BLOCKS) == 0:
            marks.append(_mark())

    work.scorer.on_outcome = count
    start_mib = resident_mib()
    prompts = [f"{SYSTEM} This is wording {number}." for number in range(calls // EXAMPLES)]
    for first in range(0, len(prompts), PROMPTS):
        await work.scorer.score(prompts[first : first + PROMPTS], "dev")
    work.close()
    await journal.flush()
    await plan.aclose()
    journal.close()
    if shared:
        shared.close()
    return {
        "scored": done,
        "blocks": _blocks(marks, calls // BLOCKS),
        "start_mib": start_mib,
        "peak_mib": peak_mib(),
    }


def show(found: dict[str, Any]) -> bool:
    """Print what was found; whether both targets are met."""
    for number, block in enumerate(found["blocks"]):
        say(
            f"part {number + 1:>2}: {block['wall_ms']:.3f} ms a call, {block['cpu_ms']:.3f} ms of CPU, "
            f"{block['mib']:.0f} MiB"
        )
    first, last = found["blocks"][0], found["blocks"][-1]
    wall, cpu = last["wall_ms"] / first["wall_ms"] - 1, last["cpu_ms"] / first["cpu_ms"] - 1
    say(
        f"{found['scored']:,} scored; from the first part to the last: wall {wall:+.1%}, CPU {cpu:+.1%} a call"
    )
    say(f"memory: {found['start_mib']:.0f} MiB at the start, {found['peak_mib']:.0f} MiB at most")
    return bool(wall < MOST_GROWTH and found["peak_mib"] < MOST_MIB)


def _mark() -> tuple[float, float, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), usage.ru_utime + usage.ru_stime, resident_mib()


def _blocks(marks: list[tuple[float, float, float]], calls: int) -> list[dict[str, float]]:
    return [
        {
            "wall_ms": 1000 * (after[0] - before[0]) / calls,
            "cpu_ms": 1000 * (after[1] - before[1]) / calls,
            "mib": after[2],
        }
        for before, after in pairwise(marks)
    ]


def resident_mib() -> float:
    """Memory in use now, 0 where the system does not tell."""
    return _status("VmRSS")


def peak_mib() -> float:
    """The most memory that was in use so far."""
    # Not ru_maxrss where it can be helped: it starts with what the parent process used before this one was loaded.
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        2**20 if sys.platform == "darwin" else 2**10
    )


def _status(key: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{key}:")), 0.0)


if __name__ == "__main__":
    main()
