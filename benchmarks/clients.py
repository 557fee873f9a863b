"""GPO and the bare clients as contenders."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.questions import MAX_TOKENS, MODEL, SYSTEM, Question, right

Scoring = Callable[[], float]
"""Scores what was prepared and returns the mean: the part that is timed."""

Prepare = Callable[[Sequence[Question]], Scoring]
"""Puts questions into the contender's own form; called once to warm up and once for the measurement."""


@contextmanager
def gpo(url: str, concurrency: int, scratch: Path) -> Iterator[Prepare]:
    """The engine of a run, as `Work` composes it: scorer, journal, shared store, budget, retries and limit."""
    from gpo.config.schema import Config
    from gpo.run.gc_tuning import collect_seldom
    from gpo.run.layers.shutdown import Shutdown
    from gpo.run.plan import assemble
    from gpo.run.progress import Progress
    from gpo.run.work import Work
    from gpo.storage.journal import Journal
    from gpo.storage.shared_store import SharedStore
    from gpo.task.task import Task

    config = Config.model_validate(gpo_config(url, concurrency))
    shared = SharedStore.open(scratch / "store.sqlite", warn=_fail)
    numbers = iter(range(9))

    with asyncio.Runner() as runner:

        def prepare(asked: Sequence[Question]) -> Scoring:
            rows = [{"input": item.user, "target": item.expected} for item in asked]
            task = Task.from_rows({**OTHER_ROWS, "dev": rows}, answer="boolean", position="system")
            plan = assemble(config, base_dir=scratch, task=task)
            journal = Journal(scratch / f"journal{next(numbers)}.sqlite")
            work = Work(plan, journal, shared, Shutdown(), Progress())

            async def score() -> float:
                with collect_seldom():
                    (result,) = await work.scorer.score([SYSTEM], "dev")
                # The end of a run belongs to it: everything is on the disk.
                work.close()
                await journal.flush()
                await plan.aclose()
                return result.mean()

            return lambda: runner.run(score())

        yield prepare
    if shared:
        shared.close()


OTHER_ROWS = {
    "train": [{"input": "Is this a question?", "target": "yes"}],
    "test": [{"input": "Is this an answer?", "target": "no"}],
}
"""The splits that a task must have and no measurement scores."""


def gpo_config(url: str, concurrency: int) -> dict[str, Any]:
    """The configuration of a run against the server."""
    model = {"model": MODEL, "base_url": url, "concurrency": concurrency, "max_tokens": MAX_TOKENS}
    return {
        "task": {"data": "unused.jsonl", "position": "system"},
        "prompt": SYSTEM,
        "models": {"task": {**model, "temperature": 0}, "optimizer": dict(model)},
    }


@contextmanager
def aiohttp(url: str, concurrency: int, scratch: Path) -> Iterator[Prepare]:
    """The bare client: nothing is kept."""
    import aiohttp as library

    with asyncio.Runner() as runner:

        async def opened() -> library.ClientSession:
            return library.ClientSession(connector=library.TCPConnector(limit=0))

        session = runner.run(opened())

        async def reply(item: Question) -> str:
            async with session.post(f"{url}/chat/completions", json=body(item)) as response:
                data = await response.json()
                return str(data["choices"][0]["message"]["content"])

        yield lambda asked: lambda: runner.run(workers(reply, asked, concurrency))
        runner.run(session.close())


@contextmanager
def openai(url: str, concurrency: int, scratch: Path) -> Iterator[Prepare]:
    """The bare SDK over the HTTP client that it comes with."""
    from openai import AsyncOpenAI

    with _sdk(lambda: AsyncOpenAI(base_url=url, api_key="none", max_retries=0), concurrency) as prepare:
        yield prepare


@contextmanager
def openai_aiohttp(url: str, concurrency: int, scratch: Path) -> Iterator[Prepare]:
    """The bare SDK over aiohttp, which its documentation advises where many calls are made at once."""
    import httpx_aiohttp  # noqa: F401 - the SDK would tell of its absence only when called
    from openai import AsyncOpenAI, DefaultAioHttpClient

    def opened() -> Any:
        return AsyncOpenAI(base_url=url, api_key="none", max_retries=0, http_client=DefaultAioHttpClient())

    with _sdk(opened, concurrency) as prepare:
        yield prepare


@contextmanager
def _sdk(opened: Callable[[], Any], concurrency: int) -> Iterator[Prepare]:
    async def within_loop() -> Any:
        return opened()

    with asyncio.Runner() as runner:
        client = runner.run(within_loop())

        async def reply(item: Question) -> str:
            completion = await client.chat.completions.create(**body(item))
            return str(completion.choices[0].message.content)

        yield lambda asked: lambda: runner.run(workers(reply, asked, concurrency))
        runner.run(client.close())


def body(item: Question) -> dict[str, Any]:
    """What goes over the wire."""
    return {"model": MODEL, "messages": item.messages, "max_tokens": MAX_TOKENS, "temperature": 0}


async def workers(
    reply: Callable[[Question], Awaitable[str]], asked: Sequence[Question], concurrency: int
) -> float:
    """Mean over the replies to `asked`, `concurrency` of them at once."""
    waiting = iter(asked)
    hits = 0

    async def worker() -> None:
        nonlocal hits
        for item in waiting:
            text = await reply(item)
            hits += right(text, item.expected)

    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return hits / len(asked)


def _fail(line: str) -> None:
    raise RuntimeError(line)
