"""The optimizer's endpoint is tried before dev is paid for, once, and `gpo evaluate` says what would happen there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpo.errors import ModelError
from gpo.run.estimate.estimate import estimate
from gpo.run.evaluate import evaluate_prompt
from gpo.run.watcher import Watcher
from tests.support.landscape import Landscape
from tests.support.server import ModelServer

from .habits import HabitServer
from .support import landscape_server, plan, run


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WRONG", "sk-wrong-000000")


def probes(server: ModelServer) -> list[dict[str, Any]]:
    return [body for body in server.bodies() if "word OK" in str(body["messages"])]


async def test_an_unknown_optimizer_model_costs_no_row_of_dev(tmp_path: Path) -> None:
    with landscape_server(models=frozenset({"task"})) as server:
        with pytest.raises(ModelError, match=r"HTTP 404.*does not exist"):
            await run(server, tmp_path)
        assert server.stats.finished == 0
        # Nothing was answered, so the folder is free for another configuration.
        server.models = None
        assert (await run(server, tmp_path, seed=5)).status == "complete"


async def test_what_was_tried_binds_no_run_to_its_configuration(tmp_path: Path) -> None:
    with landscape_server(models=frozenset({"optimizer"})) as server:
        with pytest.raises(ModelError, match="HTTP 404"):
            await run(server, tmp_path)
        assert server.stats.models == {"optimizer": 1}
        server.models = None
        assert (await run(server, tmp_path, seed=5)).status == "complete"


async def test_it_is_the_first_call_asks_as_a_step_does_and_is_counted_once(tmp_path: Path) -> None:
    with landscape_server() as server:
        whole = await run(server, tmp_path, "whole")
        assert server.log[0].body["model"] == "optimizer"
        (body,) = probes(server)
        assert (body["n"], body["max_tokens"], "seed" in body) == (3, 20, body["temperature"] > 0)
        assert whole.usage.optimizer.calls == server.stats.models["optimizer"]
        assert whole.usage.task.calls == server.stats.models["task"]
    with landscape_server() as server:
        server.answer = _until(server, 20)  # the task model goes away after so many of its rows
        with pytest.raises(ModelError):
            await run(server, tmp_path, "parts", model={"retries": 0, "temperature": 0.5})
        server.answer, server.models = Landscape().answer, None
        found = await run(server, tmp_path, "parts", model={"retries": 0, "temperature": 0.5})
        assert len(probes(server)) == 1
        assert found.usage.optimizer.calls == server.stats.models["optimizer"]


def _until(server: ModelServer, rows: int) -> Any:
    def answer(body: dict[str, Any]) -> str:
        if server.stats.models["task"] >= rows:
            server.models = frozenset()
        return Landscape().answer(body)

    return answer


async def test_the_estimate_counts_it(tmp_path: Path) -> None:
    with landscape_server() as server:
        found = await run(server, tmp_path)
        most = estimate(plan(server, tmp_path)).optimizer.most
    assert found.usage.optimizer.calls <= most.calls == 1 + 2 * 2
    nothing = plan("http://127.0.0.1:9/v1", tmp_path, method="empty")
    assert estimate(nothing).optimizer.most.calls == 0


async def test_evaluate_tries_it_once_and_says_what_is_wrong(tmp_path: Path) -> None:
    with HabitServer(answer=Landscape().answer, lacks=frozenset({"n", "seed"})) as server:
        found = await evaluate_prompt(
            plan(server, tmp_path, model={"temperature": 0.5}), "Think about it", "test"
        )
        assert found.optimizer is not None
        assert (found.optimizer["ok"], found.optimizer["left_out"]) == (True, ["n", "seed"])
        assert found.optimizer["usage"]["calls"] == 1 == server.stats.models["optimizer"]
    lines: list[str] = []
    with landscape_server(models=frozenset({"task"})) as server:
        for paid in (10, 10):
            found = await evaluate_prompt(
                plan(server, tmp_path), "Think about it", "test", watcher=_Lines(lines)
            )
            assert server.stats.finished == paid, "the store knows the rows, and nothing is asked again"
        assert found.optimizer is None
    (line,) = [line for line in lines if "optimizer" in line]
    assert line.startswith("models.optimizer cannot be asked, gpo optimize would end there:")
    assert "404" in line


class _Lines(Watcher):
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def note(self, line: str) -> None:
        self._lines.append(line)
