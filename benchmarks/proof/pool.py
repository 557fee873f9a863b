"""A pool of prompts from all optimizers, each scored once on the same rows.

Half of the rows are those of search, the others held out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from pathlib import Path

from benchmarks.proof.asking import Asker, ask, at_once
from benchmarks.proof.endpoint import Endpoint
from benchmarks.proof.fixed import DEMONSTRATIONS, FixedPrompt, fixed_prompts
from benchmarks.proof.lines import Lines
from benchmarks.proof.own import Search, models_at, run_search, without_embedder
from benchmarks.proof.tasks import REGISTERED, deal, open_task, rows_of
from benchmarks.results import say
from gpo.storage.journal_reader import JournalReader
from gpo.task.task import Task

METHODS = ("gpo", "ape", "opro", "pe2", "apo")
STEPS = 3
SHORT_DEV = 8
"""Dev rows of the short runs: they are there for their proposals, not for their choice."""


def split(name: str, task: Task, rows: int) -> tuple[Task, Task]:
    """The task with half of `rows` for search (train and dev) and the rest held out (test), and the same with the few
    dev rows of a short run. Four rows of demonstrations stay outside of both."""
    search = min(rows // 2, len(rows_of(task).search) - DEMONSTRATIONS)
    dealt = deal(name, task, 0, train=search // 2, dev=search - search // 2, test=rows - search)
    return dealt, replace(dealt, splits=replace(dealt.splits, dev=dealt.splits.dev[:SHORT_DEV]))


def merge(
    fixed: Sequence[FixedPrompt], proposed: Mapping[str, Iterable[str]], most: int
) -> list[tuple[str, FixedPrompt]]:
    """Source and prompt: the fixed ones, then the methods' proposals in turns, each text once (whatever its spaces and
    capitals), `most` in all."""
    found = [("fixed", prompt) for prompt in fixed]
    known = {_plain(prompt.text) for prompt in fixed if not prompt.demos}
    turns = zip_longest(*([(name, text) for text in texts] for name, texts in proposed.items()))
    for name, text in (item for turn in turns for item in turn if item):
        if _plain(text) not in known:
            known.add(_plain(text))
            found.append((name, FixedPrompt(name=f"{name} {len(found)}", text=text)))
    return found[:most]


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def propose(
    short: Task,
    start: str,
    endpoint: Endpoint,
    folder: Path,
    *,
    candidates: int,
    recency: bool,
    workers: int = 1,
) -> dict[str, list[str]]:
    """Prompts of short runs of all methods by name, in the order in which they came up. Raises `GPOError`."""

    def one(name: str) -> list[str]:
        search = Search(method=name, racing=False, candidates=candidates, steps=STEPS)
        search = without_embedder(search) if recency else search
        directory = folder / short.name / name
        run_search(search, short, start, models_at(endpoint), calls=0, seed=0, run_dir=directory)
        with JournalReader(directory / "journal.sqlite") as reader:
            prompts = list(reader.prompts().values())
        say(f"{short.name}: {name} proposed {len(prompts)} prompts")
        return prompts

    with ThreadPoolExecutor(workers) as threads:
        return dict(zip(METHODS, threads.map(one, METHODS), strict=True))


async def score(
    name: str,
    task: Task,
    pool: Sequence[tuple[str, FixedPrompt]],
    endpoint: Endpoint,
    lines: Lines,
    *,
    start: str,
    workers: int = 1,
) -> None:
    """Score what `lines` lacks of `pool`. Raises `GPOError`."""
    search = [*task.splits.train, *task.splits.dev]
    rows = [*search, *task.splits.test]

    async def one(asker: Asker, number: int, source: str, prompt: FixedPrompt) -> None:
        found = await asker.score(task, prompt, rows)
        lines.add(
            {
                "task": name,
                "number": number,
                "source": source,
                "text": prompt.text,
                "demonstrations": len(prompt.demos),
                "start": not prompt.demos and prompt.text == start,
                "search": len(search),
                "values": found.values,
                "unreadable": found.unreadable,
            }
        )
        say(f"{name} {number + 1}/{len(pool)} {source}: {100 * found.mean:.1f} %")

    async with ask(endpoint) as asker:
        missing = [
            partial(one, asker, number, source, prompt)
            for number, (source, prompt) in enumerate(pool)
            if not lines.find(task=name, number=number)
        ]
        await at_once(workers, missing)


def build(
    name: str,
    data_dir: Path,
    endpoint: Endpoint,
    lines: Lines,
    *,
    prompts: int,
    rows: int,
    recency: bool,
    workers: int,
) -> None:
    """The pool of one task, scored. Raises `GPOError`."""
    whole = open_task(name, data_dir)
    task, short = split(name, whole, rows)
    used = {example.id for example in (*task.splits.train, *task.splits.dev)}
    rest = [example for example in rows_of(whole).search if example.id not in used]
    fixed = fixed_prompts(whole, rest, 0)
    start = REGISTERED[name].start
    if all(prompt.text != start for prompt in fixed):
        fixed.insert(0, FixedPrompt(name="start", text=start))
    # Some proposals are refused and some come twice: a third more is asked for than the pool needs.
    wanted = max(2, -(-(prompts - len(fixed)) * 4 // (3 * len(METHODS) * STEPS)))
    folder = lines.path.with_name(lines.path.name + ".runs")
    proposed = propose(
        short, start, endpoint, folder, candidates=wanted, recency=recency, workers=min(workers, len(METHODS))
    )
    pool = merge(fixed, proposed, prompts)
    if len(pool) < prompts:
        say(f"{name}: {len(pool)} different prompts came up, {prompts} were asked for")
    asyncio.run(score(name, task, pool, endpoint, lines, start=start, workers=workers))
