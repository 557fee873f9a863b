"""What demonstrations are worth, by how many there are and which were drawn: the room that a search of them has.

    python -m benchmarks.shots DATA_DIR OUT.jsonl --tasks tickets … [--words hint] [--counts 0 2 4 8 12] [--draws 2]
        [--rows 50] [--model local/NAME] [--threads 1] [--minutes M] [--base-url URL]

Fixed words before label-balanced draws of rows of train and dev, scored on other rows of train and dev. Started again,
it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.proof.asking import Asker, ask, at_once
from benchmarks.proof.deadline import Deadline, add_minutes
from benchmarks.proof.endpoint import add_arguments, from_arguments
from benchmarks.proof.estimate import announce
from benchmarks.proof.fixed import FixedPrompt, fixed_prompts
from benchmarks.proof.headroom import Measurement
from benchmarks.proof.lines import Lines
from benchmarks.proof.tasks import balanced, open_task, rows_of
from benchmarks.results import say
from gpo.errors import ConfigError, GPOError


def measurements(
    name: str, data_dir: Path, *, words: str, counts: Sequence[int], draws: int, rows: int
) -> list[Measurement]:
    """`words` (the name of a fixed prompt) with every count and draw; none are drawn but once. Raises `ConfigError`
    where the task has too few rows, or there is no such fixed prompt."""
    task = open_task(name, data_dir)
    pool = list(rows_of(task).search)
    Random(f"shots/{name}").shuffle(pool)
    asked, rest = pool[:rows], pool[rows:]
    text = next((prompt.text for prompt in fixed_prompts(task, rest, 0) if prompt.name == words), None)
    if text is None:
        raise ConfigError(f"--words {words}: there is no fixed prompt of that name")
    found = []
    for count in counts:
        for draw in range(draws if count else 1):
            demos = balanced(task, rest, count, Random(f"shots/{name}/{count}/{draw}"))
            prompt = FixedPrompt(name=f"{words} + {count} ({draw})", text=text, demos=demos)
            found.append(Measurement(name, task, prompt, asked))
    return found


async def score(asker: Asker, item: Measurement, lines: Lines) -> None:
    """Score one and keep its line."""
    found = await asker.score(item.task, item.prompt, item.rows)
    lines.add(
        {
            "task": item.name,
            "prompt": item.prompt.name,
            "demonstrations": len(item.prompt.demos),
            "values": found.values,
            "unreadable": found.unreadable,
        }
    )
    say(f"{item.name:24} {item.prompt.name:28} {100 * found.mean:5.1f} %  unreadable {found.unreadable}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.shots", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tasks", nargs="+", default=["tickets"])
    parser.add_argument(
        "--words", default="hint", help="the name of a fixed prompt, as the headroom screen has them"
    )
    parser.add_argument("--counts", nargs="+", type=int, default=[0, 2, 4, 8, 12])
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--rows", type=int, default=50)
    add_arguments(parser)
    add_minutes(parser)
    found = parser.parse_args(arguments)
    try:
        endpoint = from_arguments(found)
        wanted = [
            item
            for name in found.tasks
            for item in measurements(
                name,
                found.data_dir,
                words=found.words,
                counts=found.counts,
                draws=found.draws,
                rows=found.rows,
            )
        ]
        command = f"python -m benchmarks.shots DATA_DIR OUT.jsonl --model {found.model} --rows {found.rows}"
        lines = Lines(
            found.out,
            command=command,
            settings={**endpoint.settings, "rows": found.rows},
            key=("task", "prompt"),
        )
        missing = [item for item in wanted if not lines.find(task=item.name, prompt=item.prompt.name)]
        announce([item.work(endpoint) for item in missing], endpoint, found.threads)

        async def run() -> None:
            async with ask(endpoint) as asker:
                jobs = [
                    partial(score, replace(asker, endpoint=endpoint.for_task(item.name)), item, lines)
                    for item in missing
                ]
                await at_once(found.workers, jobs, Deadline(found.minutes))

        asyncio.run(run())
    except GPOError as error:
        say(str(error))
        return error.exit_code
    return 0
