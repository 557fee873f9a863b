"""Going on with a run of 100,000 recorded calls, and asking a complete one again: what does its size cost?

A run is made once against a loopback server. Then its `result.json` is taken away, as a kill at the very end would
have it, and `gpo optimize` goes on: every call is answered by the journal. After that the same command is given again
to the complete run. All are processes of their own, watched from outside. Run it with `python -m benchmarks.resume`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import yaml

from benchmarks.questions import questions
from benchmarks.results import ROOT, Session, say
from benchmarks.server import Connection, Delayed, completion

CALLS = 100_000
ROUNDS = 3
CANDIDATES, BATCH = 8, 8
DEV, TEST = 1000, 1500
TARGETS = {"resume_seconds": 3.0, "report_seconds": 2.0, "resume_mib": 300.0, "again_seconds": 0.5}


class Writing(Delayed):
    """Says "Yes" to questions, and writes another prompt every time that it is asked for one."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self._numbers = count()
        self.seen = 0

    def arrived(self, connection: Connection, body: bytes) -> None:
        """A call came in; nothing of it is kept."""
        self.seen += 1
        if b"<START>" not in body:
            connection.send(completion("Yes, you are back where you started."))
            return
        wanted = json.loads(body).get("n") or 1
        texts = [f"<START>Think about walk number {next(self._numbers)}.<END>" for _ in range(wanted)]
        connection.send(completion(*texts))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resume", description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS, help="about so many")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    steps = max(1, round((options.calls - DEV - 2 * TEST) / (DEV * CANDIDATES)))
    name = "resume" if (options.calls, options.rounds) == (CALLS, ROUNDS) else "resume-part"
    session = Session(name, {"calls": options.calls, "rounds": options.rounds, "dev": DEV}, ("gpo",))
    session.forget()
    with TemporaryDirectory(prefix="benchmark-") as folder, writing() as (url, server):
        work = Path(folder)
        config = write_config(work, url, steps)
        made = run(work, config)
        say(f"made: {server.seen:,} calls in {made['seconds']:.1f} s")
        before = server.seen
        for _ in range(options.rounds):
            (work / "run" / "result.json").unlink()
            resumed = run(work, config)
            again = run(work, config)
            session.add(
                {
                    "calls": server.seen,
                    "resume_seconds": resumed["to_result"],
                    "report_seconds": resumed["seconds"] - resumed["to_result"],
                    "resume_mib": resumed["mib"],
                    "again_seconds": again["seconds"],
                    # What the machine's other work cannot stretch; `load` says how much of it there was.
                    "resume_cpu": resumed["cpu_to_result"],
                    "report_cpu": resumed["cpu"] - resumed["cpu_to_result"],
                    "again_cpu": again["cpu"],
                    "load": os.getloadavg()[0],
                    "again_mib": again["mib"],
                    "journal_mib": (work / "run" / "journal.sqlite").stat().st_size / 2**20,
                }
            )
            say(json.dumps({key: round(value, 2) for key, value in session.measurements[-1].items()}))
        if server.seen != before:
            raise RuntimeError(f"{server.seen - before} calls were made again")
    found = {key: median(item[key] for item in session.measurements) for key in session.measurements[0]}
    missed = [key for key, most in TARGETS.items() if found[key] > most]
    say(f"medians: {json.dumps({key: round(value, 2) for key, value in found.items()})}")
    say(f"missed: {', '.join(missed)}" if missed else "all targets are met")
    say(f"written: {session.finish({'medians': found, 'missed': missed}).relative_to(ROOT)}")
    if missed:
        sys.exit(1)


def write_config(folder: Path, url: str, steps: int) -> Path:
    """The configuration of a run of `steps` steps, its data beside it."""
    sizes = {"train": steps * BATCH, "dev": DEV, "test": TEST}
    first = 0
    for name, size in sizes.items():
        rows = [{"input": item.user, "target": item.expected} for item in questions(size, first)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        first += size
    model = {"model": "benchmark", "base_url": url, "concurrency": 64}
    config = {
        "task": {"data": {name: f"{name}.jsonl" for name in sizes}, "answer": {"kind": "boolean"}},
        "prompt": "Think about the walk.",
        "models": {"task": model, "optimizer": dict(model)},
        "method": {"trajectory": "none"},
        "optimize": {"epochs": 1, "batch_size": BATCH, "candidates": CANDIDATES},
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def run(folder: Path, config: Path) -> dict[str, float]:
    """`gpo optimize` once: seconds until `result.json` is there and until the end, and MiB at most."""
    command = [
        sys.executable,
        "-c",
        "from gpo.cli.main import main; main()",
        "optimize",
        str(config),
        "--run-dir",
        str(folder / "run"),
        "--json",
    ]
    # As it is installed: with its bytecode kept.
    environment = {**os.environ, "GPO_HOME": str(folder / "home"), "PYTHONDONTWRITEBYTECODE": ""}
    result = folder / "run" / "result.json"
    started = time.perf_counter()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        to_result = cpu_to_result = 0.0
        while process.poll() is None and not to_result:
            if result.exists():
                to_result = time.perf_counter() - started
                cpu_to_result = cpu_seconds(process.pid)
            time.sleep(0.002)
        _, status, usage = os.wait4(process.pid, 0) if process.returncode is None else (0, 0, None)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status) if usage else process.returncode
        if process.returncode:
            raise RuntimeError((process.stderr.read() if process.stderr else b"").decode()[-2000:])
    size = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10) if usage else 0.0
    cpu = usage.ru_utime + usage.ru_stime if usage else 0.0
    return {
        "to_result": to_result or seconds,
        "seconds": seconds,
        "mib": size,
        "cpu": cpu,
        "cpu_to_result": cpu_to_result or cpu,
    }


def cpu_seconds(pid: int) -> float:
    """User and system time of a process that runs; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def writing() -> Iterator[tuple[str, Writing]]:
    """The server in a thread; gives its base URL and itself."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[str, Writing]:
        server = Writing()
        listener = await loop.create_server(lambda: Connection(server), "127.0.0.1", 0, backlog=4096)
        return f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1", server

    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


if __name__ == "__main__":
    main()
