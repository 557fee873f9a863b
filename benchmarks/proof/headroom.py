"""Headroom: how far fixed prompts differ on a task before anything searches.

    python -m benchmarks.headroom DATA_DIR OUT.json [--base-url URL --model NAME] [--rows 24] [--tasks NAME …]

Ten registered tasks × six fixed prompts × rows of train and dev (never of test), one round, the same room for every
reply. Started again, it goes on where it stopped (OUT.json.lines holds what is measured).
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.proof.asking import Asker, ask, at_once
from benchmarks.proof.endpoint import Endpoint, add_arguments, from_arguments
from benchmarks.proof.fixed import FixedPrompt, fixed_prompts
from benchmarks.proof.lines import Lines, read_lines
from benchmarks.proof.tasks import REGISTERED, open_task, rows_of
from benchmarks.results import say
from gpo.errors import ConfigError, GPOError
from gpo.evaluation.statistics import wilson
from gpo.task.example import Example
from gpo.task.task import Task

READABLE = 0.5
"""A prompt with at most this share of unreadable replies counts as readable: below that, its score says how it is read
and not what the model knows."""
WORTH = 0.10
"""Points of 1 between readable prompts from which on a task has room for a search."""


async def measure(
    endpoint: Endpoint,
    data_dir: Path,
    names: Sequence[str],
    lines: Lines,
    *,
    rows: int,
    seed: int,
    workers: int = 1,
) -> None:
    """Score what `lines` lacks, `workers` prompts at a time, and bring the lines into the order of the tables. Raises
    `GPOError`."""
    order: list[tuple[str, str]] = []
    jobs = []
    async with ask(endpoint) as asker:
        for name in names:
            task = open_task(name, data_dir)
            pool = list(rows_of(task).search)
            Random(f"headroom/{name}/{seed}").shuffle(pool)
            asked, rest = pool[:rows], pool[rows:]
            if len(asked) < rows:
                raise ConfigError(f"--rows {rows}: {name} has {len(pool)} rows in train and dev")
            for prompt in fixed_prompts(task, rest, seed):
                order.append((name, prompt.name))
                if not lines.find(task=name, prompt=prompt.name):
                    jobs.append(partial(_score, asker, task, name, prompt, asked, lines))
        await at_once(workers, jobs)
    known = {key: place for place, key in enumerate(order)}
    # What an earlier start measured of other tasks stays, behind those of this one.
    lines.items.sort(key=lambda item: known.get((item["task"], item["prompt"]), len(known)))


async def _score(
    asker: Asker, task: Task, name: str, prompt: FixedPrompt, rows: Sequence[Example], lines: Lines
) -> None:
    found = await asker.score(task, prompt, rows)
    lines.add(
        {
            "task": name,
            "prompt": prompt.name,
            "text": prompt.text,
            "values": found.values,
            "unreadable": found.unreadable,
        }
    )
    say(f"{name:24} {prompt.name:24} {100 * found.mean:5.1f} %  unreadable {found.unreadable}/{len(rows)}")


def summarise(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A task a line: its prompts with Wilson's interval and the share that is unreadable, and the `spread` between its
    readable prompts (None with fewer than two)."""
    tasks = []
    for name in dict.fromkeys(item["task"] for item in items):
        prompts = [_prompt(item) for item in items if item["task"] == name]
        readable = [item["mean"] for item in prompts if item["unreadable"] <= READABLE]
        spread = max(readable) - min(readable) if len(readable) > 1 else None
        tasks.append(
            {
                "task": name,
                "reason": REGISTERED[name].reason if name in REGISTERED else "",
                "spread": spread,
                "headroom": spread is not None and spread >= WORTH,
                "prompts": prompts,
            }
        )
    return tasks


def _prompt(item: Mapping[str, Any]) -> dict[str, Any]:
    known = [value for value in item["values"] if value is not None]
    interval = wilson(known)
    return {
        "prompt": item["prompt"],
        "mean": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "rows": len(known),
        "failed": len(item["values"]) - len(known),
        "unreadable": item["unreadable"] / len(known),
    }


def table(tasks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Markdown: per cent right, with the share of unreadable replies in brackets where there are some."""
    names = list(dict.fromkeys(prompt["prompt"] for task in tasks for prompt in task["prompts"]))
    lines = [
        f"| task | {' | '.join(names)} | spread of the readable |",
        f"| --- |{' --- |' * (len(names) + 1)}",
    ]
    for task in tasks:
        cells = []
        for name in names:
            found = next((item for item in task["prompts"] if item["prompt"] == name), None)
            cells.append("–" if found is None else _cell(found))
        spread = "–" if task["spread"] is None else f"{100 * task['spread']:.0f}"
        lines.append(f"| {task['task']} | {' | '.join(cells)} | {spread} |")
    return lines


def _cell(found: Mapping[str, Any]) -> str:
    lost = f" ({100 * found['unreadable']:.0f} unreadable)" if found["unreadable"] else ""
    return f"{100 * found['mean']:.0f} [{100 * found['low']:.0f}, {100 * found['high']:.0f}]{lost}"


def _reopen(out: Path, partial: Path) -> None:
    """Go on from a finished file, which may lack a task that is asked for now."""
    if out.exists() and not partial.exists():
        kept = json.loads(out.read_text(encoding="utf-8"))
        head = {key: value for key, value in kept.items() if key not in ("tasks", "measurements")}
        partial.write_text("".join(json.dumps(item) + "\n" for item in (head, *kept["measurements"])))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.headroom", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=24)
    parser.add_argument("--tasks", nargs="+", default=list(REGISTERED))
    parser.add_argument("--seed", type=int, default=0)
    add_arguments(parser)
    found = parser.parse_args(arguments)
    partial = found.out.with_name(found.out.name + ".lines")
    try:
        endpoint = from_arguments(found)
        settings = {**endpoint.settings, "rows": found.rows, "seed": found.seed}
        command = f"python -m benchmarks.headroom DATA_DIR OUT.json --model {found.model} --rows {found.rows}"
        _reopen(found.out, partial)
        lines = Lines(partial, command=command, settings=settings, key=("task", "prompt"))
        work = measure(
            endpoint,
            found.data_dir,
            found.tasks,
            lines,
            rows=found.rows,
            seed=found.seed,
            workers=found.workers,
        )
        asyncio.run(work)
    except GPOError as error:
        say(str(error))
        return error.exit_code
    tasks = summarise(lines.items)
    head = read_lines(partial)[0]
    found.out.write_text(json.dumps({**head, "tasks": tasks, "measurements": lines.items}, indent=1) + "\n")
    partial.unlink()
    say("\n".join(table(tasks)))
    return 0
