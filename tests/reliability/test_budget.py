"""Budgets hold: by the server's own counts, over both models, over resumes and faults, whatever is in flight."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest

from gpo.config.schema import BudgetConfig
from gpo.errors import BudgetError, ConfigError, TransientModelError
from gpo.model.model import Message, Reply, Request, Usage
from gpo.run.layers.amount import Amount, prompt_bound
from gpo.run.layers.budget import Budget
from gpo.run.layers.budgeted import BudgetedModel
from gpo.run.layers.journaled import JournaledModel
from gpo.storage.journal import Journal
from tests.support.server import Faults, ModelServer

from .support import landscape_server, plan, run, timeless

PRICE = {"input": 1.0, "output": 10.0}


def usd(server: ModelServer) -> float:
    return (
        server.stats.prompt_tokens * PRICE["input"] + server.stats.completion_tokens * PRICE["output"]
    ) / 1e6


async def capped_run(folder: Path, seed: int) -> None:
    """Random caps, concurrency, faults and resumes: no cap is ever exceeded, and without caps all comes out alike."""
    draw = random.Random(seed)
    concurrency = draw.choice([1, 2, 8, 32, 64])
    budget: dict[str, Any] = {}
    if draw.random() < 0.5:
        budget["max_calls"] = draw.randint(1, 80)
    if draw.random() < 0.5 or not budget:
        budget["max_tokens"] = draw.randint(100, 6000)
    if draw.random() < 0.5:
        budget["max_usd"] = draw.uniform(0.0002, 0.01)
    faults = Faults(rates={"429": 0.05, "500": 0.05, "truncated": 0.03}, seed=seed)
    if draw.random() < 0.5:
        faults = Faults()
    model = {"concurrency": concurrency, "price": PRICE}
    with landscape_server(delay=draw.choice([0.0, 0.002]), faults=faults) as server:
        for _ in range(2):
            try:
                result = await run(server, folder, budget=budget, model=model)
                assert result.status == "complete"
            except BudgetError as error:
                assert any(cap in str(error) for cap in budget)  # noqa: PT017
                saved = json.loads((folder / "run" / "result.json").read_text())
                assert saved["status"] == "budget"
                assert (folder / "run" / "best_prompt.txt").read_text() == saved["best_prompt"]
            stats = server.stats
            assert stats.finished <= budget.get("max_calls", 10**9)
            assert stats.prompt_tokens + stats.completion_tokens <= budget.get("max_tokens", 10**9)
            assert usd(server) <= budget.get("max_usd", 1e9) + 1e-9
        await run(server, folder, model=model)
        assert server.stats.repeated == 0


@pytest.mark.parametrize("seed", range(20))
async def test_random_caps_hold(seed: int, tmp_path: Path) -> None:
    await capped_run(tmp_path, seed)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(1000, 1200, 10))
async def test_200_random_caps_hold(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + 10):
        await capped_run(tmp_path / str(seed), seed)


async def test_a_run_that_was_capped_goes_on_to_the_same_result(tmp_path: Path) -> None:
    with landscape_server() as server:
        whole = await run(server, tmp_path, "whole")
        calls = server.stats.finished
        for cap in (5, 20, 40):
            with pytest.raises(BudgetError):
                await run(server, tmp_path, "parts", budget={"max_calls": cap})
        assert timeless(await run(server, tmp_path, "parts")) == timeless(whole)
        assert server.stats.finished == 2 * calls


async def test_seconds_are_a_clean_stop(tmp_path: Path) -> None:
    with landscape_server(delay=0.05) as server:
        with pytest.raises(BudgetError, match="max_seconds"):
            await run(server, tmp_path, budget={"max_seconds": 0.4}, model={"concurrency": 2})
        assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "budget"
        assert server.stats.outcomes["aborted"] == 0
        calls = server.stats.calls
        # Over resumes: nothing is left, so nothing is sent.
        with pytest.raises(BudgetError, match="max_seconds"):
            await run(server, tmp_path, budget={"max_seconds": 0.4}, model={"concurrency": 2})
        assert server.stats.calls == calls
        assert (await run(server, tmp_path)).status == "complete"
        assert server.stats.repeated == 0


async def test_what_answers_come_from_the_journal_costs_nothing(tmp_path: Path) -> None:
    with landscape_server() as server:
        await run(server, tmp_path)
        calls = server.stats.calls
        (tmp_path / "run" / "result.json").unlink()
        result = await run(server, tmp_path, budget={"max_calls": calls})
        assert result.status == "complete"
        assert server.stats.calls == calls


def test_dollars_need_a_price(tmp_path: Path) -> None:
    with landscape_server() as server:
        with pytest.raises(ConfigError, match=r"budget.max_usd.*models\.task\.price"):
            plan(server, tmp_path, budget={"max_usd": 1.0})
        plan(server, tmp_path, budget={"max_usd": 1.0}, model={"price": PRICE})
        assert server.stats.calls == 0


class Slow:
    """Answers when told to, and counts what is under way."""

    identity = "slow"

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[Usage]] = []

    async def complete(self, request: Request) -> Reply:
        turn: asyncio.Future[Usage] = asyncio.get_running_loop().create_future()
        self.waiting.append(turn)
        return Reply(texts=("x",), usage=await turn)

    async def aclose(self) -> None: ...


REQUEST = Request(messages=(Message("user", "a question"),), max_tokens=100)
BOUND = prompt_bound(REQUEST) + 100


def test_a_prompt_is_bounded_with_the_overhead_of_the_call_and_of_every_message() -> None:
    # A byte is a token at most; the template adds 96 tokens a call at most and 12 a message.
    turns = (
        Message("system", "be brief"),
        Message("user", "Ä?"),
        Message("assistant", ""),
        Message("user", "go"),
    )
    assert prompt_bound(Request(messages=turns)) == (8 + 3 + 0 + 2) + 96 + 4 * 12
    assert prompt_bound(Request(messages=turns[:1])) == 8 + 96 + 12
    assert prompt_bound(Request(prompt="Q: 1+1?")) == 7 + 96 + 12


async def test_a_cap_holds_for_a_server_that_counts_an_overhead_of_every_message(tmp_path: Path) -> None:
    class Templated(Slow):
        """As a server whose template adds 12 tokens to each turn and 96 to the chat, a token a byte."""

        async def complete(self, request: Request) -> Reply:
            assert request.messages is not None
            prompt = 96 + sum(12 + len(message.content) for message in request.messages)
            return Reply(
                texts=("x",), usage=Usage(prompt_tokens=prompt, completion_tokens=request.max_tokens)
            )

    chat = Request(messages=(Message("user", "ab"),) * 20, max_tokens=10)  # 96 + 20 x 14 + 10 = 386 tokens
    with Journal(tmp_path / "journal.sqlite") as journal:
        budget = Budget(BudgetConfig(max_tokens=2 * 386 + 385), {"task": free}, journal)
        model = BudgetedModel(Templated(), budget, "task")
        await model.complete(chat)
        await model.complete(chat)
        with pytest.raises(BudgetError, match="max_tokens"):
            await model.complete(chat)
        assert budget.spent == Amount(2, 2 * 386)


def free(usage: Any) -> float:
    return 0.0


async def settled() -> None:
    for _ in range(50):
        await asyncio.sleep(0.002)


async def test_a_call_waits_for_what_is_in_flight_and_goes_when_there_is_room(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        budget = Budget(BudgetConfig(max_tokens=BOUND + 20), {"task": free}, journal)
        model = Slow()
        wrapped = BudgetedModel(model, budget, "task")
        first, second = (asyncio.create_task(wrapped.complete(REQUEST)) for _ in range(2))
        await settled()
        assert len(model.waiting) == 1
        model.waiting[0].set_result(Usage(prompt_tokens=15, completion_tokens=5))
        await settled()
        assert len(model.waiting) == 2
        # The second one used more than is left for a third.
        third = asyncio.create_task(wrapped.complete(REQUEST))
        model.waiting[1].set_result(Usage(prompt_tokens=15, completion_tokens=6))
        await asyncio.gather(first, second)
        with pytest.raises(BudgetError, match="max_tokens"):
            await third
        assert budget.spent.tokens == 41


async def test_what_was_in_flight_when_the_process_died_counts(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        budget = Budget(BudgetConfig(max_calls=3), {"task": free}, journal)
        jobs = [
            asyncio.create_task(BudgetedModel(Slow(), budget, "task").complete(REQUEST)) for _ in range(2)
        ]
        await settled()
        # As after a kill: nothing is told to the budget any more.
        with Journal(path) as survivor:
            again = Budget(BudgetConfig(max_calls=3), {"task": free}, survivor)
            assert again.spent.calls == 2
            assert again.spent.tokens == 2 * BOUND
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)


@pytest.mark.parametrize("caps", [BudgetConfig(max_calls=9), BudgetConfig()])
@pytest.mark.parametrize(("status", "calls"), [(429, 0), (503, 0), (400, 0), (500, 1), (None, 1), (200, 1)])
async def test_what_may_have_been_charged_counts(
    status: int | None, calls: int, caps: BudgetConfig, tmp_path: Path
) -> None:
    class Failing(Slow):
        async def complete(self, request: Request) -> Reply:
            raise TransientModelError("no", status=status)

    with Journal(tmp_path / "journal.sqlite") as journal:
        budget = Budget(caps, {"task": free}, journal)
        with pytest.raises(TransientModelError):
            await BudgetedModel(Failing(), budget, "task").complete(REQUEST)
        assert budget.spent.calls == calls
        assert budget.spent.tokens == calls * BOUND
        budget.close()
        await journal.flush()
        assert Budget(BudgetConfig(), {"task": free}, journal).spent == budget.spent


async def test_the_end_is_told_when_nothing_is_in_flight_any_more(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        budget = Budget(BudgetConfig(), {"task": free}, journal)
        model = Slow()
        wrapped = BudgetedModel(model, budget, "task")
        flying = [asyncio.create_task(wrapped.complete(REQUEST)) for _ in range(2)]
        await settled()
        budget.shutdown.stop(BudgetError("the end"))
        late = asyncio.create_task(wrapped.complete(REQUEST))
        await settled()
        # Whoever hears of the end cancels the others: it must not be told while one of them may still be answered.
        assert not late.done()
        for turn in model.waiting:
            turn.set_result(Usage(prompt_tokens=1))
        assert [reply.text for reply in await asyncio.gather(*flying)] == ["x", "x"]
        with pytest.raises(BudgetError, match="the end"):
            await late
        assert len(model.waiting) == 2


async def test_a_call_that_is_overtaken_by_the_end_does_not_leave(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        budget = Budget(BudgetConfig(max_calls=9), {"task": free}, journal)
        model = Slow()
        job = asyncio.create_task(BudgetedModel(model, budget, "task").complete(REQUEST))
        await asyncio.sleep(0)
        # It is set aside, and waits until that is written down: for a kill, before anything is sent.
        assert budget.shutdown.in_flight == 1
        budget.shutdown.stop(BudgetError("the end"))
        with pytest.raises(BudgetError, match="the end"):
            await asyncio.wait_for(job, 10)
        assert model.waiting == [], "nothing was sent"
        assert (budget.shutdown.in_flight, budget.spent, budget.lost_attempts) == (0, Amount(), {})
        budget.close()
        await journal.flush()
        assert Budget(BudgetConfig(), {"task": free}, journal).spent == Amount()


async def test_an_answer_without_usage_counts_with_what_was_set_aside_also_later(tmp_path: Path) -> None:
    class Silent(Slow):
        async def complete(self, request: Request) -> Reply:
            return Reply(texts=("x",))

    def dollar(usage: Any) -> float:
        return float(usage.prompt_tokens + usage.completion_tokens) / 1_000

    with Journal(tmp_path / "journal.sqlite") as journal:
        budget = Budget(BudgetConfig(max_tokens=10 * BOUND), {"task": dollar}, journal)
        model = JournaledModel(BudgetedModel(Silent(), budget, "task"), journal, "task")
        for number in range(3):
            await model.complete(Request(messages=(Message("user", f"question {number}"),), max_tokens=100))
        spent = budget.spent
        assert (spent.calls, spent.tokens) == (3, 3 * BOUND)
        assert spent.usd == pytest.approx(3 * BOUND / 1_000)
        budget.close()
        await journal.flush()
        # The journal knows the three calls, and nothing of their tokens.
        assert journal.totals()["task"].prompt_tokens == 0
        again = Budget(BudgetConfig(), {"task": dollar}, journal)
        assert again.spent == spent
