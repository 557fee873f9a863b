"""Whole runs against a server that admits only so much: all calls end, and nothing but the time is another."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gpo.config.models import ModelConfig
from gpo.errors import BudgetError, ConfigError, ModelError
from gpo.model.endpoints import Endpoints
from gpo.model.factory import open_model
from gpo.model.layers.limits import LimitState
from gpo.report.progress.pace import describe_throttling
from gpo.result.result import Result
from gpo.run.compose import Sending, compose_sending
from gpo.storage.journal_reader import JournalReader
from tests.run.support import ask
from tests.support.server import Faults, ModelServer

from .support import landscape_server, plan, run, timeless


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> Result:
    with landscape_server() as server:
        return asyncio.run(run(server, tmp_path_factory.mktemp("free")))


REGIMES = [
    ({"most_at_once": 3, "delay": 0.005}, {"concurrency": 32}),
    ({"most_at_once": 1, "delay": 0.002}, {"concurrency": 64}),
    # Fewer retries than there are back-offs from 64 places to 1.
    ({"most_at_once": 2, "delay": 0.005}, {"concurrency": 64, "retries": 1}),
    ({"per_second": 60}, {"concurrency": 32, "retry_delay": 0.02}),
]


@pytest.mark.parametrize(("server_settings", "model"), REGIMES)
async def test_a_server_that_admits_little_changes_nothing_but_the_time(
    server_settings: dict[str, Any], model: dict[str, Any], free: Result, tmp_path: Path
) -> None:
    with landscape_server(**server_settings) as server:
        result = await run(server, tmp_path, model=model)
    assert timeless(result) == timeless(free)
    assert server.stats.outcomes["full"] > 0
    assert server.stats.repeated == 0
    limits = result.extra["limits"]
    assert limits["task"]["configured"] == model["concurrency"]
    assert limits["task"]["backoffs"] > 0
    assert limits["task"]["lowest"] < model["concurrency"]
    # Both roles are one endpoint.
    assert {**limits["task"], "waited_seconds": 0} == {**limits["optimizer"], "waited_seconds": 0}
    with JournalReader(tmp_path / "run" / "journal.sqlite") as journal:
        (event,) = journal.events("limits")
    assert event.data["task"]["backoffs"] == limits["task"]["backoffs"]


async def test_after_settling_few_calls_are_refused() -> None:
    with ModelServer(most_at_once=8, delay=0.005) as server:
        made = opened({"base_url": server.base_url, "retry_delay": 0.05})
        asked = [made.model.complete(ask(str(i))) for i in range(600)]
        refused = []
        for answer in asyncio.as_completed(asked):
            await answer
            refused.append(server.stats.outcomes["full"])
        await made.model.aclose()
    assert made.limited.state.lowest < 64
    assert refused[-1] - refused[200] < 40


async def test_requests_per_minute_hold_a_run_back_and_change_nothing(free: Result, tmp_path: Path) -> None:
    with landscape_server() as server:
        result = await run(server, tmp_path, model={"requests_per_minute": 1200})
    assert timeless(result) == timeless(free)
    assert server.stats.outcomes["full"] == 0
    times = sorted(call.at for call in server.log if call.body["model"] == "task")
    # Twenty may leave at once, and then 1181 in a minute; half a second is for those that were slow to arrive.
    assert times[-1] - times[0] > (len(times) - 20) * 60 / 1181 - 0.5
    limits = result.extra["limits"]["task"]
    assert (limits["configured"], limits["lowest"], limits["final"], limits["backoffs"]) == (8, 8, 8, 0)
    assert limits["waited_seconds"] > 0


async def test_a_limit_may_be_given_to_a_run_that_goes_on(free: Result, tmp_path: Path) -> None:
    with landscape_server() as server:
        with pytest.raises(BudgetError):
            await run(server, tmp_path, budget={"max_calls": 20})
        result = await run(server, tmp_path, model={"requests_per_minute": 10**6, "tokens_per_minute": 10**9})
        assert server.stats.repeated == 0
    assert timeless(result) == timeless(free)


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        ({}, True),
        ({"model": "another"}, True),
        ({"api_key_env": "SECOND_KEY"}, False),
        ({"base_url": "http://127.0.0.1:9/v1"}, False),
    ],
)
async def test_models_at_one_endpoint_with_one_key_share_its_places(
    other: dict[str, Any], shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_KEY", "k" * 20)
    with ModelServer(faults=Faults(rates={"429": 1.0}, per_request=1)) as server:
        config = {"base_url": server.base_url, "retry_delay": 0.001}
        task, optimizer = both(config, {**config, **other})
        await task.model.complete(ask("hello"))
        for made in (task, optimizer):
            await made.model.aclose()
    assert task.limited.state.backoffs == 1
    assert optimizer.limited.state.backoffs == int(shared)


async def test_the_lower_rate_holds_for_both_roles_of_one_model() -> None:
    with ModelServer() as server:
        config = {"base_url": f"{server.base_url}/", "requests_per_minute": 100}
        task, optimizer = both(config, {"base_url": server.base_url, "requests_per_minute": 1})
        await task.model.complete(ask("the one of this minute"))
        call = asyncio.create_task(optimizer.model.complete(ask("waits")))
        while not optimizer.limited.state.held:  # noqa: ASYNC110 - no event tells that a call began to wait
            await asyncio.sleep(0)
        assert optimizer.limited.state.held == "requests_per_minute"
        call.cancel()
        for made in (task, optimizer):
            await made.model.aclose()
    assert server.stats.calls == 1


async def test_no_server_names_the_key_to_correct(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"start it, or correct models\.optimizer\.base_url$"):
        await run("http://127.0.0.1:9/v1", tmp_path)


@pytest.mark.parametrize("key", ["requests_per_minute", "tokens_per_minute"])
def test_a_rate_that_is_none_is_a_configuration_error(key: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"models.task.{key}"):
        plan("http://127.0.0.1:9/v1", tmp_path, model={key: 0})


def test_the_progress_line_says_what_slows_the_calls_down() -> None:
    def state(now: int = 64, held: str = "") -> LimitState:
        return LimitState(configured=64, now=now, lowest=now, backoffs=0, waited_seconds=0.0, held=held)

    assert describe_throttling({}) == describe_throttling({"task": state(), "optimizer": state()}) == []
    assert describe_throttling({"task": state(48), "optimizer": state(48)}) == ["48/64 at once (429)"]
    assert describe_throttling({"task": state(), "optimizer": state(32)}) == ["optimizer 32/64 at once (429)"]
    held = {"task": state(1, "refused"), "optimizer": state(64, "tokens_per_minute")}
    assert describe_throttling(held) == [
        "1/64 at once (429)",
        "waiting for the endpoint",
        "optimizer held to tokens_per_minute",
    ]


def opened(config: dict[str, Any]) -> Sending:
    return compose_sending(open_model(ModelConfig.model_validate({"model": "m", **config}), role="task"))


def both(task: dict[str, Any], optimizer: dict[str, Any]) -> tuple[Sending, Sending]:
    """The models of one run."""
    first, second = (ModelConfig.model_validate({"model": "m", **config}) for config in (task, optimizer))
    endpoints = Endpoints([first, second])
    return (
        compose_sending(open_model(first, role="task", endpoints=endpoints)),
        compose_sending(open_model(second, role="optimizer", endpoints=endpoints)),
    )
