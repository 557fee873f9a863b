"""The one event loop of synchronous calls: runs one after another, beside a running loop, and from within."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

import gpo
from tests.support.landscape import Landscape
from tests.support.server import ModelServer

from .interrupted import OPTIONS, Client, make_task


def test_one_client_serves_several_runs_and_scorings(tmp_path: Path) -> None:
    with ModelServer(answer=Landscape().answer) as server:
        client = Client(server.base_url)
        for number in range(2):
            result = gpo.optimize(make_task(), models=client.ask, run_dir=tmp_path / str(number), **OPTIONS)
            assert result.status == "complete"
        found = gpo.evaluate(make_task(), "amber anchor", model=client.ask)
        assert found.failed == 0

        client.close_in_background()


async def test_beside_await_and_in_a_running_loop(tmp_path: Path) -> None:
    """In a notebook the loop is running in the very thread that calls `gpo.optimize`."""
    with ModelServer(answer=Landscape().answer) as server:
        own = Client(server.base_url)
        await own.ask([{"role": "user", "content": "amber anchor left 1"}], 0, 0.0)
        first = await gpo.aoptimize(make_task(), models=own.ask, **OPTIONS)
        second = await asyncio.gather(
            gpo.aoptimize(make_task(), models=own.ask, **OPTIONS),
            gpo.aevaluate(make_task(), "amber anchor", model=own.ask),
        )
        assert first.best_prompt == second[0].best_prompt
        await own.close()
        inner = Client(server.base_url)
        result = gpo.optimize(make_task(), models=inner.ask, **OPTIONS)
        assert result.best_prompt == first.best_prompt
        inner.close_in_background()


def test_there_is_one_thread_however_many_runs() -> None:
    seen: set[int] = set()

    async def model(text: str) -> str:
        seen.add(threading.get_ident())
        return "left"

    for _ in range(3):
        gpo.evaluate(make_task(), "p", model=model)
    assert len(seen) == 1
    assert threading.get_ident() not in seen


def test_waiting_within_an_async_function_is_refused_and_awaiting_is_not() -> None:
    async def waits(text: str) -> str:
        return str(gpo.evaluate(make_task(1), "q", model=lambda text: "left").interval.mean)

    async def awaits(text: str) -> str:
        inner = await gpo.aevaluate(make_task(1), "q", model=lambda text: "left")
        return "left" if inner.examples else "right"

    with pytest.raises(gpo.GPOError, match=r"await gpo\.aevaluate"):
        gpo.evaluate(make_task(1), "p", model=waits)
    assert gpo.evaluate(make_task(1), "p", model=awaits).failed == 0


def test_a_client_of_another_loop_is_named_as_the_cause(tmp_path: Path) -> None:
    async def model(text: str) -> str:
        await future
        return "left"

    async def make() -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()

    future = asyncio.run(make())
    with pytest.raises(gpo.GPOError, match=r"another event loop.*await gpo\.aoptimize"):
        gpo.evaluate(make_task(1), "p", model=model)
