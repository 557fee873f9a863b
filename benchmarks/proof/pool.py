"""A pool of prompts from all optimizers, each scored once on the same rows.

Half of the rows are those of search, the others held out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from benchmarks.proof.asking import Asker, ask, at_once
from benchmarks.proof.deadline import Deadline
from benchmarks.proof.endpoint import OPTIMIZER_TOKENS, Endpoint
from benchmarks.proof.estimate import Work, scoring, writing
from benchmarks.proof.fixed import DEMONSTRATIONS, FixedPrompt, fixed_prompts
from benchmarks.proof.lines import Lines
from benchmarks.proof.own import Search, models_at, run_search, without_embedder
from benchmarks.proof.tasks import REGISTERED, deal, open_task, rows_of
from benchmarks.results import say
from gpo.storage.journal_reader import JournalReader
from gpo.task.task import Task

METHODS: Final[Mapping[str, str | Mapping[str, Any]]] = {
    "gpo": "gpo",
    "ape": "ape",
    "opro": "opro",
    "pe2": "pe2",
    "apo": "apo",
    # Its library and its edits; a pool's prompts are scored on all rows, so they show none.
    "gpo+": {"name": "gpo+", "demonstrations": False},
}
"""Those that propose, by name."""
STEPS = 3
PLUS_CALLS = 100
"""Of gpo+, about as many as the others take."""
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
    deadline: Deadline | None = None,
) -> dict[str, list[str]]:
    """Prompts of short runs of all methods by name, in the order in which they came up. Raises `GPOError`, `TimeIsUp`
    where the deadline passes before the last run begins."""
    limit = deadline or Deadline()

    def one(name: str) -> list[str]:
        limit.check()
        search = Search(method=METHODS[name], racing=False, candidates=candidates, steps=STEPS)
        search = without_embedder(search) if recency else search
        directory = folder / short.name / name
        run_search(search, short, start, models_at(endpoint), calls=PLUS_CALLS, seed=0, run_dir=directory)
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
    deadline: Deadline | None = None,
) -> None:
    """Score what `lines` lacks of `pool`. Raises `GPOError`."""
    search = [*task.splits.train, *task.splits.dev]
    rows = [*search, *task.splits.test]
    labels = [task.target_text(row) for row in search]

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
                "labels": labels,
                "values": found.values,
                "said": found.said,
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
        await at_once(workers, missing, deadline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """The pool of one registered task, of `prompts` prompts on `rows` rows: `task` and its short form as `split` gives
    them, the `fixed` prompts."""

    name: str
    task: Task
    short: Task
    fixed: Sequence[FixedPrompt]
    prompts: int

    @property
    def start(self) -> str:
        """The prompt that searches start from."""
        return REGISTERED[self.name].start

    @property
    def candidates(self) -> int:
        """Candidates a step of a short run: some proposals are refused and some come twice, so a third more is asked
        for than the pool needs."""
        return max(2, -(-(self.prompts - len(self.fixed)) * 4 // (3 * len(METHODS) * STEPS)))

    def work(self, lines: Lines, max_tokens: int) -> Work:
        """What it takes beside what `lines` has. What an unfinished short run has is not taken off."""
        scored = [item for item in lines.items if item["task"] == self.name]
        rows = [*self.task.splits.train, *self.task.splits.dev, *self.task.splits.test]
        plain = FixedPrompt(name="", text=20 * "word ")
        left = scoring(plain, rows * (self.prompts - len(scored)), max_tokens)
        if scored:
            return left
        tried = list(self.short.splits.dev) * (1 + STEPS * self.candidates) * len(METHODS)
        written = STEPS * self.candidates * len(METHODS)
        return left + scoring(plain, tried, max_tokens) + writing(written, OPTIMIZER_TOKENS)


def prepare(name: str, data_dir: Path | None, *, prompts: int, rows: int) -> Building:
    """The pool of a registered task. Raises `ConfigError`."""
    whole = open_task(name, data_dir)
    task, short = split(name, whole, rows)
    used = {example.id for example in (*task.splits.train, *task.splits.dev)}
    rest = [example for example in rows_of(whole).search if example.id not in used]
    fixed = fixed_prompts(whole, rest, 0)
    start = REGISTERED[name].start
    if all(prompt.text != start for prompt in fixed):
        fixed.insert(0, FixedPrompt(name="start", text=start))
    return Building(name=name, task=task, short=short, fixed=fixed, prompts=prompts)


def build(
    made: Building,
    endpoint: Endpoint,
    lines: Lines,
    *,
    recency: bool,
    workers: int,
    deadline: Deadline | None = None,
) -> None:
    """Propose and score. Raises `GPOError`, `TimeIsUp` where the deadline passes."""
    folder = lines.path.with_name(lines.path.name + ".runs")
    proposed = propose(
        made.short,
        made.start,
        endpoint,
        folder,
        candidates=made.candidates,
        recency=recency,
        workers=min(workers, len(METHODS)),
        deadline=deadline,
    )
    pool = merge(made.fixed, proposed, made.prompts)
    if len(pool) < made.prompts:
        say(f"{made.name}: {len(pool)} different prompts came up, {made.prompts} were asked for")
    asyncio.run(
        score(
            made.name,
            made.task,
            pool,
            endpoint,
            lines,
            start=made.start,
            workers=workers,
            deadline=deadline,
        )
    )
