"""Every arm end to end on the same splits, from the same start prompt, through the same reader, with the same calls.

    python -m benchmarks.versus DATA_DIR OUT_DIR --tasks tickets … [--arms gpo+ gpo …] --seeds 0 1 2 --calls 300
        [--test 100] [--model local/NAME] [--threads 1] [--minutes M] [--base-url URL]

The prompt that an arm chose is then scored by our reader on held-out rows. OUT_DIR/runs.jsonl has a line a run; a line
that is there is not run again, and our own runs go on from their journals. `python -m benchmarks.versus_table OUT_DIR`
makes the table.
"""

from __future__ import annotations

import argparse
import json
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.proof.arms import ARMS, missing
from benchmarks.proof.asking import Used
from benchmarks.proof.deadline import Deadline, add_minutes
from benchmarks.proof.endpoint import OPTIMIZER_TOKENS, Endpoint, add_arguments, from_arguments
from benchmarks.proof.estimate import Work, announce, scoring, writing
from benchmarks.proof.fixed import FixedPrompt
from benchmarks.proof.lines import Lines
from benchmarks.proof.own import Outcome, no_embedder
from benchmarks.proof.proxy import CountingProxy
from benchmarks.proof.run import Run
from benchmarks.proof.tasks import REGISTERED, deal, open_task
from benchmarks.results import say
from gpo.errors import ConfigError, GPOError
from gpo.task.task import Task

RUNS, ADDRESS = "runs.jsonl", "proxy.json"


def carry_out(arm: str, run: Run, lines: Lines, task: str) -> bool:
    """Run `arm` and keep its line; False where it failed, which is said and leaves no line: the next start tries
    again. Raises `TimeIsUp` where the minutes were over before its end."""
    run.proxy.deadline.check()
    say(f"{task} {arm} seed {run.seed}: begins")
    why = None
    try:
        found = ARMS[arm](run)
    except GPOError as error:
        why = str(error)
    except Exception as error:  # a peer may raise anything, and the other arms go on
        why = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
    if run.proxy.refused(run.name):
        # What it makes of refused calls is no result of the arm.
        run.proxy.deadline.check()
    if why is not None:
        say(f"{task} {arm} seed {run.seed}: failed: {why}")
        return False
    lines.add(line_of(found, run, task=task, arm=arm))
    known = [value for value in found.test or () if value is not None]
    mean = 100 * sum(known) / max(1, len(known))
    say(
        f"{task} {arm} seed {run.seed}: {mean:.1f} % on test, {found.task.calls} task calls, {found.seconds:.0f} s"
    )
    return True


def line_of(found: Outcome, run: Run, *, task: str, arm: str) -> dict[str, Any]:
    """What is kept of a run: test values by the question's name, no text of the benchmark but the chosen prompt."""
    rows = [example.id for example in run.task.splits.test]
    return {
        "task": task,
        "arm": arm,
        "seed": run.seed,
        "task_calls": found.task.calls,
        "optimizer_calls": found.optimizer.calls,
        "task_tokens": _tokens(found.task),
        "optimizer_tokens": _tokens(found.optimizer),
        "seconds": round(found.seconds, 1),
        "prompt": found.prompt,
        "dev": found.dev,
        "test": dict(zip(rows, found.test or (), strict=True)),
        "at_once": run.workers,
        "notes": dict(found.notes),
    }


def _tokens(used: Used) -> int:
    return used.prompt_tokens + used.completion_tokens


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing; 1 where an arm failed."""
    found = _parser().parse_args(arguments)
    try:
        endpoint = from_arguments(found)
        if unknown := [arm for arm in found.arms if arm not in ARMS]:
            raise ConfigError(f"--arms {unknown[0]}: there is none; there are {', '.join(ARMS)}")
        arms = [arm for arm in found.arms if not _left_out(arm)]
        why = no_embedder()
        if why:
            say(f"gpo shows its trajectory by recency, not by relevance: {why}")
        settings = {
            **endpoint.settings,
            "calls": found.calls,
            "rows": [found.train, found.dev, found.test],
            "trajectory": "recency" if why else "relevance",
        }
        command = f"python -m benchmarks.versus DATA_DIR OUT_DIR --model {found.model} --calls {found.calls}"
        lines = Lines(found.out / RUNS, command=command, settings=settings, key=("task", "arm", "seed"))
        tasks = {name: open_task(name, found.data_dir) for name in found.tasks}
        # Arm by arm, so that a night that ends early has whole arms.
        wanted = [
            (arm, seed, name)
            for arm in arms
            for seed in found.seeds
            for name in tasks
            if not lines.find(task=name, arm=arm, seed=seed)
        ]
        announce(_work(wanted, tasks, endpoint, found), endpoint, found.threads)
        deadline = Deadline(found.minutes)
        with CountingProxy(endpoint, **_address(found.out), deadline=deadline) as proxy:
            _keep_address(found.out, proxy.port)

            def one(key: tuple[str, int, str]) -> bool:
                arm, seed, name = key
                run = Run(
                    name=f"{name}-{arm}-{seed}".replace("+", "plus").replace("@", "-from-"),
                    task=deal(name, tasks[name], seed, train=found.train, dev=found.dev, test=found.test),
                    start=REGISTERED[name].start,
                    endpoint=endpoint.for_task(name),
                    proxy=proxy,
                    calls=found.calls,
                    seed=seed,
                    folder=found.out / "runs",
                    recency=why is not None,
                    workers=found.workers,
                )
                return carry_out(arm, run, lines, name)

            with ThreadPoolExecutor(found.workers) as threads:
                failed = not all(list(threads.map(one, wanted)))
    except GPOError as error:
        say(str(error))
        return error.exit_code
    return 1 if failed else 0


def _work(
    wanted: Sequence[tuple[str, int, str]],
    tasks: Mapping[str, Task],
    endpoint: Endpoint,
    found: argparse.Namespace,
) -> list[Work]:
    """About what the runs take, each with 25 prompts that are written; what an unfinished one has is not taken off."""
    plain = FixedPrompt(name="", text=20 * "word ")
    work = []
    for _, seed, name in wanted:
        task = deal(name, tasks[name], seed, train=found.train, dev=found.dev, test=found.test)
        rows = (found.calls // len(task.splits.dev) + 1) * list(task.splits.dev)
        asked = [*rows[: found.calls], *task.splits.test]
        work.append(scoring(plain, asked, endpoint.for_task(name).max_tokens or 0))
        work.append(writing(25, OPTIMIZER_TOKENS))
    return work


def _address(out: Path) -> dict[str, Any]:
    """Port and token of the proxy of this comparison: our own runs are known by their endpoint, and go on at the same
    one only."""
    place = out / ADDRESS
    if not place.exists():
        place.write_text(json.dumps({"port": 0, "token": secrets.token_hex(4)}), encoding="utf-8")
    found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return found


def _keep_address(out: Path, port: int) -> None:
    kept = {**_address(out), "port": port}
    (out / ADDRESS).write_text(json.dumps(kept), encoding="utf-8")


def _left_out(arm: str) -> bool:
    why = missing(arm)
    if why:
        say(f"{arm} is left out: {why}")
    return why is not None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.versus", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--tasks", nargs="+", default=["tickets", "boolean_expressions", "date_understanding", "wsc"]
    )
    parser.add_argument("--arms", nargs="+", default=list(ARMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--calls", type=int, default=300, help="task calls of a search")
    parser.add_argument("--train", type=int, default=24)
    parser.add_argument("--dev", type=int, default=24)
    parser.add_argument("--test", type=int, default=100)
    add_arguments(parser)
    add_minutes(parser)
    return parser
