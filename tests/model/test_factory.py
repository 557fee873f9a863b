"""What a configuration's keys do to an embedded model: places, groups, retries and rates. No engine is started."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gpo.config.models import ModelConfig
from gpo.errors import ConfigError, ModelError, TransientModelError
from gpo.model.endpoints import Endpoints
from gpo.model.factory import open_model
from gpo.model.local.engine_fit import Needs
from gpo.model.model import Message, Reply, Request
from gpo.run.compose import Sending, compose_sending

from .test_engine_fit import QWEN, gguf


class Answering:
    """In the engine's place: answers after some turns of the loop, and counts what is under way."""

    identity = "answering"

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.calls = 0
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    async def complete(self, request: Request) -> Reply:
        self.calls += 1
        for prefix_group in {request.prefix_group, "all"}:
            self.now[prefix_group] += 1
            self.most[prefix_group] = max(self.most[prefix_group], self.now[prefix_group])
        for _ in range(5):
            await asyncio.sleep(0)
        for prefix_group in {request.prefix_group, "all"}:
            self.now[prefix_group] -= 1
        if self.fails:
            raise TransientModelError("lost")
        return Reply(texts=("x",))

    async def aclose(self) -> None:
        pass


def embedded(folder: Path, answering: Answering, **keys: Any) -> Sending:
    config = ModelConfig(model=str(gguf(folder / "a.gguf", QWEN)), **keys)
    opened = open_model(config, role="task", base_dir=folder, needs=Needs(longest=300, at_once=8))
    return compose_sending(replace(opened, client=answering))


def call(prefix_group: str = "") -> Request:
    return Request(messages=(Message("user", "x"),), prefix_group=prefix_group)


@pytest.mark.parametrize(("concurrency", "places"), [(64, 8), (3, 3)])
async def test_there_are_no_more_calls_than_slots(tmp_path: Path, concurrency: int, places: int) -> None:
    opened = embedded(tmp_path, answering := Answering(), concurrency=concurrency)
    assert opened.limited.state.configured == places
    await asyncio.gather(*(opened.model.complete(call()) for _ in range(30)))
    assert answering.most["all"] == places


async def test_a_short_lane_is_not_begun_in_a_second_slot_while_others_are_at_work(tmp_path: Path) -> None:
    opened = embedded(tmp_path, answering := Answering())
    await asyncio.gather(
        *(opened.model.complete(call(prefix_group)) for _ in range(6) for prefix_group in "abcd")
    )
    assert [answering.most[prefix_group] for prefix_group in "abcd"] == [1, 1, 1, 1]
    # One alone: below two calls under way another one costs nothing.
    await asyncio.gather(*(opened.model.complete(call("e")) for _ in range(6)))
    assert answering.most["e"] == 2


async def test_retries_are_those_of_the_configuration(tmp_path: Path) -> None:
    opened = embedded(tmp_path, answering := Answering(fails=True), retries=2, retry_delay=0.0)
    with pytest.raises(ModelError, match="tried 3 times"):
        await opened.model.complete(call())
    assert answering.calls == 3


async def test_rates_are_those_of_the_configuration(tmp_path: Path) -> None:
    opened = embedded(tmp_path, answering := Answering(), requests_per_minute=1)
    await opened.model.complete(call())
    second = asyncio.create_task(opened.model.complete(call()))
    for _ in range(20):
        await asyncio.sleep(0)
    assert (answering.calls, opened.limited.state.held) == (1, "requests_per_minute")
    second.cancel()
    await asyncio.wait([second])


def test_both_roles_of_a_model_share_the_lower_rate() -> None:
    task, optimizer, other = (
        ModelConfig(model=f"local/{name}", requests_per_minute=rate)
        for name, rate in (("a", 60), ("a", 6000), ("b", 6000))
    )
    endpoints = Endpoints([task, optimizer, other])
    shared = endpoints.rates(optimizer)
    assert shared is endpoints.rates(task)
    assert shared is not endpoints.rates(other)
    assert shared is not None
    shared.take(0)
    assert shared.delay(0)[0] > 0.5


def test_roles_at_one_endpoint_have_as_many_places_as_the_larger_says() -> None:
    task = ModelConfig(model="a", base_url="http://127.0.0.1:1/v1", concurrency=4)
    judge = ModelConfig(model="b", base_url="http://127.0.0.1:1/v1/", concurrency=9)
    other = ModelConfig(model="c", base_url="http://127.0.0.1:2/v1", concurrency=2)
    endpoints = Endpoints([task, judge, other])
    assert endpoints.limiter(task) is endpoints.limiter(judge)
    assert (endpoints.limiter(task).limits.limit, endpoints.limiter(other).limits.limit) == (9, 2)


def test_an_openai_model_without_a_key_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError, match=r"models\.task\.api_key_env: .*OPENAI_API_KEY"):
        open_model(ModelConfig(model="openai/gpt-4o-mini"), role="task")
