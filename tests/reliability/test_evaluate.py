"""`gpo evaluate` under a budget: the cap holds by the server's counts, and what was answered is not asked again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from gpo.errors import BudgetError, ConfigError, ModelError
from gpo.run.evaluate import evaluate_prompt, read_prompt
from tests.cli.gpo import MAIN
from tests.support import forked
from tests.support.server import Faults, ModelServer

from .support import configuration, landscape_server, plan, write_rows


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))


async def evaluate(server: ModelServer, folder: Path, **sections: Any) -> float:
    found = await evaluate_prompt(plan(server, folder, **sections), "Think about it", "test")
    return found.interval.mean


@pytest.mark.parametrize(
    "budget", [{"max_calls": 4}, {"max_tokens": 280}, {"max_usd": 0.00028}], ids=lambda cap: next(iter(cap))
)
async def test_a_cap_stops_it_and_the_store_keeps_what_was_paid(
    budget: dict[str, Any], tmp_path: Path
) -> None:
    price = {"price": {"input": 1.0, "output": 1.0}}
    with landscape_server() as server:
        with pytest.raises(BudgetError, match=next(iter(budget))) as caught:
            await evaluate(server, tmp_path, budget=budget, model=price)
        assert "kept in the store" in str(caught.value)
        paid = server.stats.finished
        assert 0 < paid < 10
        assert paid <= budget.get("max_calls", 10)
        assert server.stats.prompt_tokens + server.stats.completion_tokens <= budget.get("max_tokens", 280)
        await evaluate(server, tmp_path, model=price)
        assert server.stats.models["task"] == 10
        assert server.stats.repeated == 0
        # All of it is in the store now: no budget is needed.
        await evaluate(server, tmp_path, budget={"max_calls": 1}, model=price)
        assert server.stats.models["task"] == 10


async def test_seconds_stop_it(tmp_path: Path) -> None:
    with landscape_server(delay=0.2) as server:
        with pytest.raises(BudgetError, match="max_seconds"):
            await evaluate(server, tmp_path, budget={"max_seconds": 0.5}, model={"concurrency": 2})
        assert server.stats.outcomes["aborted"] == 0


async def test_a_split_whose_only_row_is_refused_is_an_error_of_the_models(tmp_path: Path) -> None:
    write_rows(tmp_path)
    (tmp_path / "test.jsonl").write_text(json.dumps({"input": "Which way?", "target": "left"}) + "\n")
    with landscape_server(faults=Faults(rates={"content_filter": 1.0})) as server:
        with pytest.raises(ModelError, match=r"no example of the test split could be scored; .*filter"):
            await evaluate(server, tmp_path)
        server.faults = Faults()
        assert await evaluate(server, tmp_path) in (0.0, 1.0), "a refusal is not remembered"


async def test_a_split_without_rows_is_told(tmp_path: Path) -> None:
    found = plan("http://localhost:1", tmp_path)
    # As of a `Task` that somebody put together by hand.
    empty = replace(found.task, splits=replace(found.task.splits, test=()))
    with pytest.raises(ConfigError, match="--split test: has no rows"):
        await evaluate_prompt(replace(found, task=empty), "Think", "test")


def test_the_command_exits_with_3_and_one_line(tmp_path: Path) -> None:
    write_rows(tmp_path)
    with landscape_server() as server:
        config = configuration(server.base_url, tmp_path, budget={"max_calls": 3})
        (tmp_path / "gpo.yaml").write_text(yaml.safe_dump(config))
        done = forked.run(MAIN, "evaluate", tmp_path / "gpo.yaml", "--prompt", "Think")
        assert done.returncode == 3
        assert done.stdout == ""
        assert (
            "max_calls (3) is reached; what was scored so far is kept in the store"
            in done.stderr.splitlines()[-1]
        )
        assert server.stats.calls == 3


async def test_what_no_store_keeps_is_said_to_be_lost(tmp_path: Path) -> None:
    with landscape_server() as server:
        made = plan(server, tmp_path, budget={"max_calls": 4})
        made = replace(made, scorer=replace(made.scorer, temperature=0.5))
        with pytest.raises(BudgetError, match="max_calls") as caught:
            await evaluate_prompt(made, "Think about it", "test")
    assert "kept in the store" not in str(caught.value)


def test_a_prompt_comes_from_a_file_or_is_the_text_itself(tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_text("Think of \u00e4.\n", encoding="utf-8")
    (tmp_path / "latin.txt").write_bytes(b"\xff\xfe\xfa")
    assert read_prompt(f"@{tmp_path / 'prompt.txt'}") == "Think of \u00e4."
    assert read_prompt("a@b") == "a@b"
    for name in ("gone.txt", "latin.txt", "."):
        with pytest.raises(ConfigError, match="the file cannot be read") as caught:
            read_prompt(f"@{tmp_path / name}")
        assert "\n" not in str(caught.value)
