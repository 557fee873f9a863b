"""Racing against full evaluation, and against the other published procedures: calls asked, points of test score lost.

    python -m benchmarks.racing [--seeds 20] [--no-landscape] [FILES...]

On the simulated landscape whole optimizations run with and without racing. On a real task the scores of a pool of
prompts, measured once (`benchmarks.racing_matrix`), are replayed: each seed deals the rows anew into dev and test and
the prompts into steps of 8, and the best prompt over all steps is compared. What is replayed cannot show how another
winner changes later candidates; the landscape does. Takes two minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from tests.support.climb import climb
from tests.support.landscape import Landscape

from benchmarks.racing_rules import RULES, Rule
from gpo.evaluation.outcome import Score
from gpo.evaluation.race import discriminative_rows, race
from gpo.evaluation.score import Scorer
from gpo.model.model import Reply, Request
from gpo.optimizer.loop import LoopSettings
from gpo.task.task import Task

STEP = 8
DEV = 48
RESULTS = Path(__file__).parent / "results"
Values = list[list[float]]


class PoolExecutor:
    """A task model that answers for prompt "p3" on "Row 7." as it was measured; counts what it is asked."""

    identity = "measured"

    def __init__(self, values: Values) -> None:
        self.values = values
        self.calls = 0

    async def complete(self, request: Request) -> Reply:
        """The measured answer."""
        self.calls += 1
        _, row, prompt, *_ = request.messages[-1].content.split("\n")
        return Reply(texts=("yes" if self.values[int(prompt[1:])][int(row[4:])] else "no",))

    async def aclose(self) -> None:
        """Nothing is open."""


def task_of(rows: Sequence[int]) -> Task:
    """A task whose dev split are the rows with these numbers."""
    dev = [{"input": f"\nRow {row}", "target": "yes"} for row in rows]
    other = [{"input": f"other {n}", "target": "no"} for n in range(2)]
    answer = {"kind": "label", "labels": ["yes", "no"]}
    return Task.from_rows({"train": other, "dev": dev, "test": other}, answer=answer, allow_overlap=True)


async def replay(values: Values, seed: int, rule: Rule | None, *, telling: bool) -> tuple[float, float]:
    """Test mean of the best prompt, and the dev calls as a share of scoring everything; `rule` None: our own race."""
    draw = Random(seed)
    numbers = list(range(len(values[0])))
    draw.shuffle(numbers)
    dev, test = numbers[:DEV], numbers[DEV:]
    pool = list(range(len(values)))
    draw.shuffle(pool)
    steps = [pool[i : i + STEP] for i in range(0, len(pool) - STEP + 1, STEP)]
    model = PoolExecutor(values)
    scorer = Scorer(task_of(dev), model)
    complete: list[Score] = []
    counted = 0
    for number, step in enumerate(steps):
        order = discriminative_rows(complete if telling else [], DEV, Random(f"{seed}/{number}"))
        names = [f"p{prompt}" for prompt in step]
        if rule is None:
            raced = await race(scorer, names, order)
            complete += [score for score in raced.scores.values() if score.complete]
        else:
            table = [[values[prompt][dev[row]] for row in order] for prompt in step]
            winner, asked = rule(table)
            counted += asked
            place = {row: at for at, row in enumerate(order)}
            chosen = tuple(table[winner][place[row]] for row in range(DEV))
            complete.append(Score(names[winner], "dev", chosen))
    best = int(max(complete, key=Score.mean).prompt[1:])
    asked_for = model.calls if rule is None else counted
    return statistics.mean(values[best][row] for row in test), asked_for / (len(steps) * STEP * DEV)


def line(name: str, full: Sequence[float], found: Sequence[float], shares: Sequence[float]) -> str:
    """One row of the table: share of calls, points lost with their standard error."""
    lost = [100 * (before - after) for before, after in zip(full, found, strict=True)]
    error = statistics.stdev(lost) / len(lost) ** 0.5
    return f"| {name} | {100 * statistics.mean(shares):.0f} % | {statistics.mean(lost):+.2f} ± {error:.2f} |"


async def on_pool(name: str, record: dict[str, Any], seeds: range) -> list[str]:
    """The table of one measured task."""
    values = [[*dev, *test] for dev, test in zip(record["dev"], record["test"], strict=True)]
    # A row that failed for one prompt is left out for all, as in a run.
    usable = [row for row in range(len(values[0])) if all(line[row] is not None for line in values)]
    values = [[line[row] for row in usable] for line in values]
    full = [await replay(values, seed, RULES["full"], telling=False) for seed in seeds]
    lines = [
        f"\n{name}: {len(values)} prompts, {len(usable)} rows; test mean {_mean(full):.3f} with full",
        *HEAD,
    ]
    for telling in (True, False):
        kind = "telling rows first" if telling else "random rows"
        runs: list[tuple[str, Rule | None]] = [
            ("**race (GPO)**", None),
            *((n, r) for n, r in RULES.items() if n != "full"),
        ]
        for title, rule in runs:
            found = [await replay(values, seed, rule, telling=telling) for seed in seeds]
            lines.append(line(f"{title}, {kind}", *_columns(full, found)))
    return lines


async def on_landscape(seeds: range) -> list[str]:
    """Whole optimizations: 18 steps of 8 candidates, 48 dev rows."""

    async def climbs(racing: bool) -> list[tuple[float, float]]:
        settings = LoopSettings(steps=18, candidates=STEP, racing=racing)
        found = [await climb("gpo", Landscape(seed=seed), settings, dev=DEV) for seed in seeds]
        return [(run.accuracy, run.calls / (DEV * (1 + 18 * STEP))) for run in found]

    full, raced = await climbs(False), await climbs(True)
    return [
        f"\nlandscape, {len(seeds)} whole optimizations; accuracy {_mean(full):.3f} with full",
        *HEAD,
        line("**race (GPO)**, telling rows first", *_columns(full, raced)),
    ]


HEAD = ("| procedure | dev calls | points lost on test |", "| --- | --- | --- |")


def _mean(runs: Sequence[tuple[float, float]]) -> float:
    return statistics.mean(value for value, _ in runs)


def _columns(
    full: Sequence[tuple[float, float]], found: Sequence[tuple[float, float]]
) -> tuple[list[float], list[float], list[float]]:
    return [value for value, _ in full], [value for value, _ in found], [share for _, share in found]


def main() -> None:
    """Read the arguments and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, default=sorted(RESULTS.glob("racing-*.json")))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--no-landscape", action="store_true")
    arguments = parser.parse_args()
    seeds = range(arguments.seeds)
    jobs: list[Callable[[], Awaitable[list[str]]]] = []
    for path in arguments.files:
        record = json.loads(path.read_text(encoding="utf-8"))
        jobs.append(partial(on_pool, path.stem, record, seeds))
    if not arguments.no_landscape:
        jobs.append(partial(on_landscape, seeds))

    async def run() -> None:
        for job in jobs:
            print("\n".join(await job()), flush=True)

    asyncio.run(run())


if __name__ == "__main__":
    main()
