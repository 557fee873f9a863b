"""What the order of calls is worth on the embedded engine: many prompts on the same questions, the prompt at the end.

    python -m benchmarks.prefix DATA_DIR [--task navigate|mmlu] [--questions 144] [--repeats 1]

Three contenders send the same requests, each to an engine of its own, in turn: `prefix_groups` is GPO's scorer and
its limit, `by candidate` is the plain order, candidate after candidate, and `bare` is an HTTP client with one worker
a slot that takes a question and asks its candidates one after another, without GPO. Reusable are the tokens at the
beginning of a request that an earlier request of the same question had (of the first one: those of the chat
template).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

import aiohttp

from gpo.evaluation.rounds import ScorerSettings
from gpo.evaluation.score import Scorer
from gpo.model.layers.endpoint_limiter import EndpointLimiter, RoleQueue
from gpo.model.layers.limits import LimitedModel
from gpo.model.local.engine import Server
from gpo.model.local.engine_fit import DOUBLE_BELOW, Needs, fit
from gpo.model.local.model import EmbeddedModel, open_embedded
from gpo.model.local.weights import resolve
from gpo.model.model import Reply, Request
from gpo.task.task import Task

PROMPTS = (
    "Let's think step by step.",
    "Answer with one word only.",
    "Read the question carefully, work through it in your head, and give the answer alone.",
    "Is it true? Think.",
    "Work out the result part by part, then decide.",
    "Decide quickly and give a one word answer.",
    "First list what is given, then conclude, then answer.",
    "You are an expert: answer the question.",
)
LONGEST = 1000


@dataclass
class Counts:
    """Tokens of a pass as the engine counted them."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)


class Counted:
    """A model whose tokens are added up."""

    def __init__(self, model: EmbeddedModel, counts: Counts) -> None:
        self._model, self.counts = model, counts
        self.identity = model.identity

    async def complete(self, request: Request) -> Reply:
        """The reply of the engine."""
        reply = await self._model.complete(request)
        self.counts.prompt += reply.usage.prompt_tokens
        self.counts.cached += reply.usage.cached_tokens
        self.counts.completion += reply.usage.completion_tokens
        return reply

    async def aclose(self) -> None:
        """The engine is closed by who opened it."""


class InPlainOrder:
    """A model that is not told which requests begin alike: first come, first served."""

    def __init__(self, model: LimitedModel) -> None:
        self._model = model
        self.identity = model.identity

    async def complete(self, request: Request) -> Reply:
        """The reply of the model."""
        return await self._model.complete(replace(request, prefix_group="", continues=False))

    async def aclose(self) -> None:
        """The engine is closed by who opened it."""


def questions(data: Path, task: str, count: int) -> list[str]:
    """The first `count` questions of the task, over all subjects for `mmlu`."""
    folders = [data / "bbh" / "navigate"] if task == "navigate" else sorted((data / "mmlu").iterdir())
    names = ("test", "dev", "train") if task == "navigate" else ("test",)
    files = [folder / f"{name}.jsonl" for folder in folders for name in names]
    rows = [
        json.loads(line)["input"]
        for file in files
        for line in file.read_text(encoding="utf-8").strip().split("\n")
    ]
    return list(dict.fromkeys(rows))[:count]


def task_of(rows: Sequence[str]) -> Task:
    """All questions as dev; what is answered does not matter here."""
    dev = [{"input": row, "target": "yes"} for row in rows]
    other = [{"input": f"other {n}", "target": "no"} for n in range(2)]
    return Task.from_rows({"train": other, "dev": dev, "test": other}, answer="text", allow_overlap=True)


async def by_scorer(model: EmbeddedModel, task: Task, tokens: int, *, prefix_groups: bool) -> Counts:
    """One pass through GPO's scorer."""
    counts = Counts()
    places = model.slots if prefix_groups else 2 * model.slots
    queue = RoleQueue(EndpointLimiter(places), places, double_below=DOUBLE_BELOW)
    limited = LimitedModel(Counted(model, counts), queue)
    scorer = Scorer(
        task, limited if prefix_groups else InPlainOrder(limited), ScorerSettings(max_tokens=tokens)
    )
    if prefix_groups:
        await scorer.score(PROMPTS)
    else:
        # One after another, and yet the engine never waits for the next one.
        await asyncio.gather(*(scorer.score([prompt]) for prompt in PROMPTS))
    return counts


async def bare(server: Server, model: EmbeddedModel, task: Task, tokens: int) -> Counts:
    """One pass of a plain client."""
    counts = Counts()
    waiting = list(reversed(task.splits.dev))
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {server.key}"}) as session:

        async def work() -> None:
            while waiting:
                example = waiting.pop()
                for prompt in PROMPTS:
                    opening = task.opening(prompt, example)
                    assert not isinstance(opening, str)
                    chat = [{"role": turn.role, "content": turn.content} for turn in opening]
                    body = {"model": "x", "messages": chat, "temperature": 0, "max_tokens": tokens}
                    async with session.post(f"{server.url}/v1/chat/completions", json=body) as response:
                        usage = (await response.json())["usage"]
                    counts.prompt += usage["prompt_tokens"]
                    counts.cached += usage.get("prompt_tokens_details", {}).get("cached_tokens", 0)
                    counts.completion += usage["completion_tokens"]

        await asyncio.gather(*(work() for _ in range(model.slots)))
    return counts


async def reusable(server: Server, task: Task) -> int:
    """Prompt tokens of a whole pass that an earlier request began with."""
    total = 0
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {server.key}"}) as session:

        async def tokens(text: str) -> list[int]:
            chat = {"messages": [{"role": "user", "content": text}]}
            async with session.post(f"{server.url}/apply-template", json=chat) as response:
                templated = (await response.json())["prompt"]
            asked = {"content": templated, "parse_special": True}
            async with session.post(f"{server.url}/tokenize", json=asked) as response:
                return list((await response.json())["tokens"])

        first: list[int] = []
        for example in task.splits.dev:
            seen: list[list[int]] = [first] if first else []
            for prompt in PROMPTS:
                opening = task.opening(prompt, example)
                assert not isinstance(opening, str)
                found = await tokens(opening[-1].content)
                total += max((_common(found, other) for other in seen), default=0)
                seen.append(found)
            first = seen[-1]
    return total


def _common(a: list[int], b: list[int]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


async def measure(name: str, weights: str, task: Task, tokens: int, *, slots: int | None) -> dict[str, Any]:
    """One contender's pass on a fresh engine."""
    found = resolve(weights)
    settings = fit(found.path, Needs(longest=LONGEST, at_once=slots))
    model = open_embedded(found.path, identity=found.identity, name=found.name, settings=settings)
    await model.start()
    server = model.engine.server
    assert server is not None
    try:
        started = time.perf_counter()
        if name == "bare":
            counts = await bare(server, model, task, tokens)
        else:
            counts = await by_scorer(model, task, tokens, prefix_groups=name == "prefix groups")
        seconds = time.perf_counter() - started
        possible = await reusable(server, task) if name == "prefix groups" else 0
    finally:
        await model.aclose()
    return {
        "contender": name,
        "slots": model.slots,
        "seconds": round(seconds, 1),
        "tokens_per_second": round((counts.prompt + counts.completion) / seconds),
        "prompt": counts.prompt,
        "cached": counts.cached,
        "completion": counts.completion,
        "reusable": possible,
    }


async def run(arguments: argparse.Namespace) -> None:
    """Every contender in turn, `repeats` times; then the medians and the ratios."""
    task = task_of(questions(arguments.data, arguments.task, arguments.questions))
    found: dict[str, list[dict[str, Any]]] = {}
    for _ in range(arguments.repeats):
        for name in arguments.contenders:
            row = await measure(name, arguments.model, task, arguments.tokens, slots=arguments.slots)
            found.setdefault(name, []).append(row)
            print(json.dumps(row), flush=True)
    seconds = {name: statistics.median(row["seconds"] for row in rows) for name, rows in found.items()}
    if "prefix groups" in seconds:
        prefix_groups = found["prefix groups"][-1]
        print(
            f"cached of reusable prompt tokens: {prefix_groups['cached'] / max(1, prefix_groups['reusable']):.3f}"
        )
        for name in seconds.keys() - {"prefix groups"}:
            print(f"prefix groups over {name}: {seconds[name] / seconds['prefix groups']:.2f} times as fast")
    print(f"{len(task.splits.dev)} questions, {len(PROMPTS)} prompts, load average {os.getloadavg()[0]:.1f}")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--task", choices=("navigate", "mmlu"), default="navigate")
    parser.add_argument("--questions", type=int, default=144)
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--model", default="local/qwen2.5-coder-0.5b")
    parser.add_argument("--slots", type=int)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--contenders", nargs="+", default=["prefix groups", "by candidate", "bare"])
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
