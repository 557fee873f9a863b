"""Whether the log-probability of the right label tells good prompts from bad ones sooner than right and wrong do.

    python -m benchmarks.covariate DATA_DIR OUT.jsonl --tasks tickets … [--prompts 16] [--rows 60]
        [--model local/NAME] [--threads 1] [--minutes M] [--base-url URL]

Prompts as a search of gpo+ compares them (its sentences, their edits, demonstrations) on the same rows, each call with
the likeliest 20 first tokens. Then prompts are ranked on a few rows drawn anew, by each of three rules, and the chosen
one is scored on the rows that were not drawn. Started again, it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import numpy as np

from benchmarks.proof.deadline import Deadline, add_minutes
from benchmarks.proof.endpoint import add_arguments, from_arguments, served
from benchmarks.proof.fixed import FixedPrompt, fixed_prompts
from benchmarks.proof.lines import Lines
from benchmarks.proof.tasks import REGISTERED, balanced, open_task, rows_of, with_demonstrations
from benchmarks.results import say
from gpo.errors import GPOError
from gpo.optimizer.plus.moves.edits import edit
from gpo.optimizer.plus.moves.library import choose_clauses
from gpo.task.example import Example
from gpo.task.task import Task

LIKELIEST = 20
FLOOR = math.log(1e-4)
"""Where the right label is none of the likeliest."""
DRAWS = 4_000
FEW = (4, 8, 12, 24)


def pool(task: Task, start: str, rest: Sequence[Example], count: int, max_tokens: int) -> list[FixedPrompt]:
    """`count` prompts: the fixed ones that can be read, edits of them, and both before draws of demonstrations."""
    rng = Random(f"covariate/{task.name}")
    words = [
        start,
        *(prompt.text for prompt in fixed_prompts(task, rest, 0) if prompt.name in ("final only", "hint")),
    ]
    clauses = choose_clauses(task, max_tokens)
    found: dict[tuple[str, tuple[str, ...]], FixedPrompt] = {
        (text, ()): FixedPrompt(name=text, text=text) for text in words
    }
    while len(found) < count:
        text = edit(rng.choice(words), clauses, rng) if rng.random() < 0.6 else rng.choice(words)
        demos = balanced(task, rest, rng.choice((4, 8)), rng) if rng.random() < 0.6 else ()
        key = (text, tuple(demo.id for demo in demos))
        if text.strip():
            found.setdefault(key, FixedPrompt(name=f"{len(demos)} {text}", text=text, demos=demos))
    return list(found.values())


def right_first_token(likeliest: Sequence[Mapping[str, Any]], label: str) -> float:
    """The log-probability that a reply begins as `label` does, whatever its capitals; `FLOOR` where nothing does."""
    wanted = label.strip().casefold()
    fitting = [
        float(item["logprob"])
        for item in likeliest
        if (token := str(item["token"]).strip().casefold()) and wanted.startswith(token)
    ]
    return max(FLOOR, math.log(sum(map(math.exp, fitting)))) if fitting else FLOOR


async def score(
    session: aiohttp.ClientSession,
    url: str,
    model: str,
    task: Task,
    prompt: FixedPrompt,
    row: Example,
    max_tokens: int,
) -> tuple[float, float]:
    """Right or wrong, and the log-probability of the right label's beginning. Raises `aiohttp.ClientError`."""
    opening = with_demonstrations(task, prompt.demos).opening(prompt.text, row)
    assert not isinstance(opening, str)
    body = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in opening],
        "temperature": 0.0,
        "max_tokens": max_tokens,
        "logprobs": True,
        "top_logprobs": LIKELIEST,
    }
    async with session.post(f"{url}/chat/completions", json=body) as response:
        response.raise_for_status()
        (choice,) = (await response.json())["choices"]
    likeliest = choice["logprobs"]["content"][0]["top_logprobs"]
    return task.score(choice["message"]["content"], row), right_first_token(likeliest, task.target_text(row))


def regrets(right: np.ndarray, sure: np.ndarray, rows: int, seed: int = 0) -> dict[str, tuple[float, float]]:
    """Points on the other rows of the prompt that is best on `rows` drawn ones, by each rule: mean and standard error.

    `right` and `sure` have shape (prompts, rows). "both" adds the two, each by its spread over the prompts.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, list[float]] = {"right or wrong": [], "log-probability": [], "both": []}
    for _ in range(DRAWS):
        order = rng.permutation(right.shape[1])
        few, rest = order[:rows], order[rows:]
        ties = 1e-9 * rng.random(right.shape[0])
        by_right, by_sure = right[:, few].mean(axis=1), sure[:, few].mean(axis=1)
        rules = (by_right, by_sure, _standard(by_right) + _standard(by_sure))
        truth = 100 * right[:, rest].mean(axis=1)
        for name, value in zip(found, rules, strict=True):
            found[name].append(float(truth[int(np.argmax(value + ties))]))
    return {name: (float(np.mean(v)), float(np.std(v) / math.sqrt(len(v)))) for name, v in found.items()}


def _standard(values: np.ndarray) -> np.ndarray:
    spread = float(values.std()) or 1.0
    return np.asarray((values - values.mean()) / spread)


def table(items: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A task and a number of rows a line."""
    yield "| task | rows | right or wrong | log-probability | both | best prompt | mean prompt |"
    yield f"|{' --- |' * 7}"
    for task in dict.fromkeys(item["task"] for item in items):
        mine = [item for item in items if item["task"] == task]
        right, sure = (np.array([item[key] for item in mine]) for key in ("values", "sure"))
        for rows in FEW:
            found = regrets(right, sure, rows)
            cells = " | ".join(f"{mean:.1f} ± {error:.1f}" for mean, error in found.values())
            means = 100 * right.mean(axis=1)
            yield f"| {task} | {rows} | {cells} | {means.max():.1f} | {means.mean():.1f} |"


async def measure(found: argparse.Namespace, lines: Lines, deadline: Deadline) -> None:
    """Score what `lines` lacks. Raises `GPOError`, `TimeIsUp`."""
    endpoint = from_arguments(found)
    async with served(endpoint) as (url, key):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(900)) as session:
            for name in found.tasks:
                task, tokens = open_task(name, found.data_dir), endpoint.for_task(name).max_tokens or 16
                rows = list(rows_of(task).search)
                Random(f"covariate/rows/{name}").shuffle(rows)
                asked, rest = rows[: found.rows], rows[found.rows :]
                for number, prompt in enumerate(
                    pool(task, REGISTERED[name].start, rest, found.prompts, tokens)
                ):
                    if lines.find(task=name, number=number):
                        continue
                    deadline.check()
                    calls = (
                        score(session, url, endpoint.model.removeprefix("local/"), task, prompt, row, tokens)
                        for row in asked
                    )
                    values = await asyncio.gather(*calls)
                    lines.add(
                        {
                            "task": name,
                            "number": number,
                            "text": prompt.text,
                            "demonstrations": len(prompt.demos),
                            "values": [right for right, _ in values],
                            "sure": [round(sure, 4) for _, sure in values],
                        }
                    )
                    say(f"{name} {number + 1}/{found.prompts}: {100 * np.mean([v for v, _ in values]):.1f} %")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.covariate", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tasks", nargs="+", default=["tickets"])
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--rows", type=int, default=60)
    add_arguments(parser)
    add_minutes(parser)
    found = parser.parse_args(arguments)
    command = f"python -m benchmarks.covariate DATA_DIR OUT.jsonl --model {found.model} --rows {found.rows}"
    settings = {"model": found.model, "rows": found.rows, "prompts": found.prompts}
    try:
        lines = Lines(found.out, command=command, settings=settings, key=("task", "number"))
        asyncio.run(measure(found, lines, Deadline(found.minutes)))
    except GPOError as error:
        say(str(error))
        return error.exit_code
    except aiohttp.ClientError as error:
        say(f"the endpoint failed: {type(error).__name__}")
        return 1
    print("\n".join(table(lines.items)))
    return 0
