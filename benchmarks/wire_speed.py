"""How fast prompts are scored over the wire: GPO beside the bare clients and its peers, against one loopback server.

Every contender scores the same questions in a process of its own, in rounds, each in an order of its own. Run it with
`python -m benchmarks.wire_speed`; it goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from benchmarks.comparison import DELAY, Job, show, summary
from benchmarks.contender import CONTENDERS, ask_server
from benchmarks.questions import MAX_TOKENS, questions
from benchmarks.results import ROOT, Session, say
from benchmarks.server import Counts

LONGEST = 240  # seconds for one measurement, imports included
PACKAGES = (
    "gpo",
    "aiohttp",
    "httptools",
    "openai",
    "httpx",
    "httpx-aiohttp",
    "dspy",
    "gepa",
    "litellm",
    "promptolution",
)


# The slow ones are bound by their processor time, which the concurrency does not change: at 256 they get fewer calls,
# enough for a rate, and fewer rounds.
JOBS = (
    *(
        Job(name, 64, 2000, 5)
        for name in ("gpo", "raw", "aiohttp", "openai_aiohttp", "dspy", "gepa", "promptolution")
    ),
    *(Job(name, 256, 10_000, 5) for name in ("gpo", "raw", "aiohttp")),
    *(Job(name, 256, 2000, 1) for name in ("openai_aiohttp", "dspy", "gepa", "promptolution")),
)
CEILING = Job("raw", 64, 20_000, 1)
EXTRA = (Job("openai", 64, 2000, 5), Job("dspy_async", 64, 2000, 5))
"""Ways of the same libraries that were slower where they were tried; measured with --all."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wire_speed", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, help="these contenders alone")
    parser.add_argument("--rounds", type=int, help="at most so many")
    parser.add_argument("--all", action="store_true", help="the slower ways of the same libraries too")
    parser.add_argument("--fresh", action="store_true", help="forget the rounds of an unfinished start")
    options = parser.parse_args()
    jobs = [
        job
        for job in (*JOBS, *(EXTRA if options.all else ()))
        if job.contender in (options.only or CONTENDERS)
    ]
    if options.rounds:
        jobs = [Job(j.contender, j.concurrency, j.calls, min(j.rounds, options.rounds)) for j in jobs]
    # A part of it does not take the place of the whole.
    name = "wire_speed-part" if options.only or options.rounds else "wire_speed"
    session = Session(name, {"delay": DELAY, "jobs": [asdict(job) for job in jobs]}, PACKAGES)
    if options.fresh:
        session.forget()
    measure_all(jobs, session)
    rows = summary(jobs, session.measurements)
    show(rows)
    say(f"written: {session.finish(rows).relative_to(ROOT)}")
    if any(row["faults"] for row in rows if row["contender"] == "gpo"):
        sys.exit(1)


def measure_all(jobs: Sequence[Job], session: Session) -> None:
    """Every measurement that is still missing."""
    _measure_server(session)
    missing: set[str] = set()
    with serving(DELAY) as url:
        for turn in range(max(job.rounds for job in jobs)):
            order = [job for job in jobs if turn < job.rounds]
            random.Random(turn).shuffle(order)
            for job in order:
                key = {"contender": job.contender, "concurrency": job.concurrency, "round": turn}
                if job.contender in missing or session.known(**key):
                    continue
                found = measure(job, url)
                if "missing" in found:
                    missing.add(job.contender)
                    say(
                        f"{job.contender}: {found['missing']} is not installed (uv sync --group peers); left out"
                    )
                    continue
                session.add({**key, **asdict(job), **found})
                say(
                    f"round {turn + 1}  {job.concurrency:>3}  {job.contender:<15} {found.get('seconds', 0):6.2f} s"
                )


def _measure_server(session: Session) -> None:
    """What the server itself manages: answers at once to the barest client."""
    if session.known(contender="server"):
        return
    with serving(0) as url:
        found = measure(CEILING, url)
    session.add({"concurrency": CEILING.concurrency, **found, "contender": "server"})
    if "seconds" in found:
        say(f"the server answers up to {CEILING.calls / found['seconds']:,.0f} calls/s without its delay")


def measure(job: Job, url: str) -> dict[str, Any]:
    """One measurement in a process of its own; its "fault" says what went wrong, if anything did."""
    command = [sys.executable, "-m", "benchmarks.contender", job.contender, "--url", url]
    command += ["--calls", str(job.calls), "--concurrency", str(job.concurrency)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST, check=False)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"fault": f"took more than {LONGEST} s"}
    except (ValueError, IndexError):
        return {"fault": (done.stderr.strip().splitlines() or ["no output"])[-1][:300]}
    return found if "missing" in found else {**found, "fault": fault(job, found)}


def fault(job: Job, found: dict[str, Any]) -> str | None:
    """Why a measurement does not count: the server's own books must agree with what was to be asked."""
    server = found["server"]
    expected = Counts(bodies=[_body(question.messages) for question in questions(job.calls)]).summary()
    if (server["calls"], server["distinct"]) != (job.calls, job.calls):
        return f"{server['calls']} calls arrived, {server['distinct']} different ones"
    if server["digest"] != expected["digest"]:
        return "other messages or another token limit arrived"
    if server["peak"] > job.concurrency:
        return f"{server['peak']} calls were under way at once"
    return None if found["mean"] == 0.5 else f"the score is {found['mean']}, not 0.5"


@contextmanager
def serving(delay: float) -> Iterator[str]:
    """The loopback server in a process of its own; gives its base URL."""
    command = [sys.executable, "-m", "benchmarks.server", "--delay", str(delay)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            ask_server(url, "reset")
            yield url
        finally:
            process.kill()
            time.sleep(0.1)


def _body(messages: list[dict[str, str]]) -> bytes:
    return json.dumps({"messages": messages, "max_tokens": MAX_TOKENS, "temperature": 0}).encode()


if __name__ == "__main__":
    main()
