"""Headroom: how far fixed prompts differ on a task before anything searches.

    python -m benchmarks.headroom DATA_DIR OUT.json [--model local/NAME] [--rows 24] [--tasks NAME …] [--threads 1]
        [--minutes M] [--base-url URL]

Ten registered tasks × six fixed prompts × rows of train and dev (never of test), one round, the same room for every
reply of a task. Started again, it goes on where it stopped (OUT.json.lines holds what is measured).
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.proof.asking import Asker, ask, at_once
from benchmarks.proof.deadline import Deadline, TimeIsUp, add_minutes
from benchmarks.proof.endpoint import Endpoint, add_arguments, from_arguments
from benchmarks.proof.estimate import Work, announce, scoring
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


@dataclass(frozen=True, slots=True)
class Measurement:
    """One fixed prompt on the rows of one registered task, which `name` is."""

    name: str
    task: Task
    prompt: FixedPrompt
    rows: Sequence[Example]

    def work(self, endpoint: Endpoint) -> Work:
        """What it takes at `endpoint`."""
        return scoring(self.prompt, self.rows, endpoint.for_task(self.name).max_tokens or 0)


def measurements(data_dir: Path, names: Sequence[str], *, rows: int, seed: int) -> list[Measurement]:
    """All of them, in the order of the tables. Raises `ConfigError` where a task has too few rows."""
    found = []
    for name in names:
        task = open_task(name, data_dir)
        pool = list(rows_of(task).search)
        Random(f"headroom/{name}/{seed}").shuffle(pool)
        asked, rest = pool[:rows], pool[rows:]
        if len(asked) < rows:
            raise ConfigError(f"--rows {rows}: {name} has {len(pool)} rows in train and dev")
        found += [Measurement(name, task, prompt, asked) for prompt in fixed_prompts(task, rest, seed)]
    return found


async def measure(
    endpoint: Endpoint,
    wanted: Sequence[Measurement],
    lines: Lines,
    *,
    workers: int = 1,
    deadline: Deadline | None = None,
) -> None:
    """Score what `lines` lacks of `wanted`, `workers` prompts at a time. Raises `GPOError`."""
    async with ask(endpoint) as asker:
        jobs = [
            partial(_score, replace(asker, endpoint=endpoint.for_task(item.name)), item, lines)
            for item in wanted
            if not is_known(item, lines)
        ]
        await at_once(workers, jobs, deadline)


def is_known(item: Measurement, lines: Lines) -> bool:
    """Whether it was measured before."""
    return lines.find(task=item.name, prompt=item.prompt.name) is not None


async def _score(asker: Asker, item: Measurement, lines: Lines) -> None:
    found = await asker.score(item.task, item.prompt, item.rows)
    lines.add(
        {
            "task": item.name,
            "prompt": item.prompt.name,
            "text": item.prompt.text,
            "max_tokens": asker.endpoint.max_tokens,
            "values": found.values,
            "unreadable": found.unreadable,
        }
    )
    shown = f"{100 * found.mean:5.1f} %  unreadable {found.unreadable}/{len(item.rows)}"
    say(f"{item.name:24} {item.prompt.name:24} {shown}")


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
    add_minutes(parser)
    found = parser.parse_args(arguments)
    partial = found.out.with_name(found.out.name + ".lines")
    try:
        endpoint = from_arguments(found)
        settings = {**endpoint.settings, "rows": found.rows, "seed": found.seed}
        command = f"python -m benchmarks.headroom DATA_DIR OUT.json --model {found.model} --rows {found.rows}"
        wanted = measurements(found.data_dir, found.tasks, rows=found.rows, seed=found.seed)
        _reopen(found.out, partial)
        lines = Lines(partial, command=command, settings=settings, key=("task", "prompt"))
        missing = [item for item in wanted if not is_known(item, lines)]
        announce([item.work(endpoint) for item in missing], endpoint, found.threads)
        work = measure(endpoint, missing, lines, workers=found.workers, deadline=Deadline(found.minutes))
        asyncio.run(work)
    except TimeIsUp as error:
        say("\n".join([*table(summarise(lines.items)), str(error)]))
        return error.exit_code
    except GPOError as error:
        say(str(error))
        return error.exit_code
    # What an earlier start measured of other tasks stays, behind those of this one.
    known = {(item.name, item.prompt.name): place for place, item in enumerate(wanted)}
    lines.items.sort(key=lambda item: known.get((item["task"], item["prompt"]), len(known)))
    tasks = summarise(lines.items)
    head = read_lines(partial)[0]
    found.out.write_text(json.dumps({**head, "tasks": tasks, "measurements": lines.items}, indent=1) + "\n")
    partial.unlink()
    say("\n".join(table(tasks)))
    return 0
