"""Arms that search no words: the best fixed prompt, and the label hint with demonstrations drawn at random.

Both choose on dev (and on rows of train that no prompt shows) under the calls that every arm has.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from random import Random

from benchmarks.proof.asking import Scored, ask
from benchmarks.proof.fixed import DEMONSTRATIONS, FixedPrompt, fixed_prompts, hint
from benchmarks.proof.own import Outcome
from benchmarks.proof.run import Run
from benchmarks.proof.tasks import balanced
from gpo.task.example import Example


def best_of_library(run: Run, *, demonstrations: bool = True, tested: bool = True) -> Outcome:
    """The fixed prompt (the start prompt among them) with the best mean; the first of equals."""
    task = run.task
    prompts = fixed_prompts(task, task.splits.train, run.seed)
    if all(prompt.text != run.start for prompt in prompts):
        prompts.insert(0, FixedPrompt(name="start", text=run.start))
    if not demonstrations:
        prompts = [prompt for prompt in prompts if not prompt.demos]
    shown = {example.id for prompt in prompts for example in prompt.demos}
    rows = [*task.splits.dev, *(example for example in task.splits.train if example.id not in shown)]
    return _choose(run, prompts, rows[: max(1, run.calls // len(prompts))], tested=tested)


def random_demonstrations(run: Run) -> Outcome:
    """The best of as many label-balanced draws as the calls cover, each scored on all of dev."""
    task, dev = run.task, run.task.splits.dev
    prompts = [
        FixedPrompt(
            name=f"draw {number}",
            text=hint(task),
            demos=balanced(
                task, task.splits.train, DEMONSTRATIONS, Random(f"random/{task.name}/{run.seed}/{number}")
            ),
        )
        for number in range(max(1, run.calls // len(dev)))
    ]
    return _choose(run, prompts, dev)


def score_test(run: Run, prompt: str | FixedPrompt) -> tuple[float | None, ...]:
    """The values of `prompt` on the held-out rows, by our reader."""
    chosen = FixedPrompt(name="best", text=prompt) if isinstance(prompt, str) else prompt
    (found,) = asyncio.run(_score(run, [chosen], run.task.splits.test, "test"))
    return found.values


def _choose(
    run: Run, prompts: Sequence[FixedPrompt], rows: Sequence[Example], *, tested: bool = True
) -> Outcome:
    began = time.perf_counter()
    found = asyncio.run(_score(run, prompts, rows, "task"))
    seconds = time.perf_counter() - began
    best = max(range(len(prompts)), key=lambda number: found[number].mean)
    chosen = prompts[best]
    return Outcome(
        prompt=chosen.text,
        dev=found[best].mean,
        task=run.proxy.used(run.name, "task"),
        optimizer=run.proxy.used(run.name, "optimizer"),
        seconds=seconds,
        test=score_test(run, chosen) if tested else None,
        notes={
            "chosen": chosen.name,
            "demonstrations": [demo.id for demo in chosen.demos],
            "rows": len(rows),
        },
    )


async def _score(
    run: Run, prompts: Sequence[FixedPrompt], rows: Sequence[Example], role: str
) -> list[Scored]:
    async with ask(run.at_role(role)) as asker:
        return [await asker.score(run.task, prompt, rows) for prompt in prompts]
