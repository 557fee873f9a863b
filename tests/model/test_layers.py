"""Retries, the concurrency limit and callables, each around a real server or a real function."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from gpo.errors import PermanentModelError, TransientModelError
from gpo.model.callable import CallableModel
from gpo.model.factory import OpenModel
from gpo.model.layers.complete_n import CompleteNModel
from gpo.model.layers.limits import LimitedModel
from gpo.model.layers.retry import RetryingModel, RetrySettings
from gpo.model.model import Message, Model, Reply, Request
from gpo.model.openai.client import OpenAIClient
from gpo.run.compose import compose_sending
from tests.support.server import Faults, ModelServer

from .endpoint import queue


def ask(text: str = "hello", **changes: Any) -> Request:
    return Request(messages=(Message("user", text),), **changes)


class Sleeps(list[float]):
    """Sleeps that take no time and are remembered."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)


def retrying(server: ModelServer, sleeps: Sleeps, **settings: Any) -> RetryingModel:
    client = OpenAIClient(base_url=server.base_url, model="m")
    return RetryingModel(client, RetrySettings(**settings), sleep=sleeps)


async def test_what_may_pass_is_tried_again_until_it_does(server: ModelServer) -> None:
    server.faults = Faults(rates={"500": 0.4, "reset": 0.2, "garbage": 0.2}, per_request=4)
    model = retrying(server, sleeps := Sleeps())
    replies = await asyncio.gather(*(model.complete(ask(f"q{i}")) for i in range(60)))
    assert [reply.text for reply in replies] == [f"q{i}" for i in range(60)]
    assert server.stats.finished == 60
    assert model.retries == len(sleeps) == server.stats.calls - 60 > 0
    await model.aclose()


async def test_the_wait_doubles_up_to_a_limit_and_is_drawn_below_it(server: ModelServer) -> None:
    server.faults = Faults(rates={"503": 1.0})
    model = retrying(server, sleeps := Sleeps(), attempts=8, first_delay=1.0, longest_delay=5.0)
    for _ in range(30):
        with pytest.raises(PermanentModelError):
            await model.complete(ask())
    for attempt, bound in enumerate([1, 2, 4, 5, 5, 5, 5]):
        waits = sleeps[attempt::7]
        assert all(0 <= wait <= bound for wait in waits)
        # Full jitter: 30 draws from (0, bound) leave neither half empty, but once in 2^29.
        assert min(waits) < bound / 2 < max(waits)
    await model.aclose()


async def test_used_up_attempts_are_one_call_s_failure(server: ModelServer) -> None:
    server.faults = Faults(rates={"500": 1.0})
    model = retrying(server, Sleeps(), attempts=3)
    with pytest.raises(
        PermanentModelError, match="HTTP 500: The server had an error; tried 3 times"
    ) as caught:
        await model.complete(ask())
    assert (caught.value.scope, caught.value.status) == ("call", 500)
    assert server.stats.calls == 3
    await model.aclose()


async def test_the_server_s_own_wait_is_a_lower_bound(server: ModelServer) -> None:
    server.faults = Faults(rates={"429_retry_after": 1.0}, per_request=1, retry_after="7")
    model = retrying(server, sleeps := Sleeps(), first_delay=1.0)
    await model.complete(ask())
    assert len(sleeps) == 1
    assert 7 <= sleeps[0] <= 8
    await model.aclose()


async def test_a_wait_beyond_the_limit_is_not_begun(server: ModelServer) -> None:
    server.faults = Faults(rates={"429_retry_after": 1.0}, retry_after="900")
    model = retrying(server, sleeps := Sleeps(), max_elapsed=60.0)
    with pytest.raises(PermanentModelError, match="it asks to wait 900 s; tried once"):
        await model.complete(ask())
    assert (sleeps, server.stats.calls) == ([], 1)
    await model.aclose()


async def test_what_would_fail_again_is_tried_once(server: ModelServer) -> None:
    server.faults = Faults(rates={"no_model": 1.0})
    model = retrying(server, Sleeps())
    with pytest.raises(PermanentModelError, match="does not exist"):
        await model.complete(ask())
    assert (server.stats.calls, model.retries) == (1, 0)
    await model.aclose()


async def test_a_server_that_was_never_there_is_told_after_two_tries() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    model = RetryingModel(
        OpenAIClient(base_url=url, model="m"),
        RetrySettings(advice="start it, or set models.task.base_url"),
        sleep=Sleeps(),
    )
    with pytest.raises(PermanentModelError) as caught:
        await model.complete(ask())
    line = f"no model server answers at {url} (connection refused): start it, or set models.task.base_url"
    assert (str(caught.value), caught.value.scope, model.retries) == (line, "run", 1)
    await model.aclose()


async def test_a_server_that_went_away_gets_all_attempts() -> None:
    with ModelServer() as server:
        model = retrying(server, sleeps := Sleeps(), attempts=4)
        await model.complete(ask())
    with pytest.raises(PermanentModelError, match="tried 4 times") as caught:
        await model.complete(ask())
    assert (caught.value.scope, len(sleeps)) == ("call", 3)
    await model.aclose()


async def test_a_layer_around_the_model_sees_every_attempt(server: ModelServer) -> None:
    class Counting:
        def __init__(self, model: Model) -> None:
            self.model, self.calls = model, 0
            self.identity = model.identity

        async def complete(self, request: Request) -> Reply:
            self.calls += 1
            return await self.model.complete(request)

        async def aclose(self) -> None:
            await self.model.aclose()

    server.faults = Faults(rates={"500": 1.0}, per_request=2)
    client = OpenAIClient(base_url=server.base_url, model="m")
    retry = RetrySettings(first_delay=0.001)
    opened = OpenModel(client=client, queue=queue(4), retry=retry, cost=lambda tokens: None)
    layers: list[Counting] = []

    def layer(inner: Model) -> Counting:
        layers.append(Counting(inner))
        return layers[0]

    model = compose_sending(opened, layer).model
    await model.complete(ask())
    assert layers[0].calls == 3
    await model.aclose()


async def test_missing_completions_are_not_paid_for_twice(server: ModelServer) -> None:
    server.max_choices = 1
    server.faults = Faults(rates={"500": 0.5}, seed=3, per_request=2)
    model = CompleteNModel(retrying(server, Sleeps()))
    reply = await model.complete(ask(n=8, seed=0))
    assert reply.texts == tuple(f"hello [{i}]" for i in range(8))
    assert server.stats.outcomes["500"] > 0
    assert (server.stats.finished, server.stats.repeated) == (8, 0)
    await model.aclose()


async def test_no_more_calls_than_allowed_are_under_way(server: ModelServer) -> None:
    server.gate.clear()
    model = LimitedModel(OpenAIClient(base_url=server.base_url, model="m"), queue(5))
    calls = [asyncio.create_task(model.complete(ask(str(i)))) for i in range(40)]
    await server.wait_for(5)
    assert (model.in_flight, model.waiting) == (5, 35)
    server.gate.set()
    await asyncio.gather(*calls)
    assert (model.in_flight, model.waiting, model.done) == (0, 0, 40)
    assert server.stats.max_concurrent == 5
    await model.aclose()


async def test_calls_go_in_the_order_in_which_they_came(server: ModelServer) -> None:
    model = LimitedModel(OpenAIClient(base_url=server.base_url, model="m"), queue(1))
    await asyncio.gather(*(model.complete(ask(str(i))) for i in range(20)))
    assert [body["messages"][0]["content"] for body in server.bodies()] == [str(i) for i in range(20)]
    await model.aclose()


async def test_cancelled_and_failed_calls_give_their_turn_back(server: ModelServer) -> None:
    server.gate.clear()
    model = LimitedModel(OpenAIClient(base_url=server.base_url, model="m"), queue(3))
    calls = [asyncio.create_task(model.complete(ask(str(i)))) for i in range(30)]
    await server.wait_for(3)
    for call in calls[::3]:  # one under way, nine in the queue
        call.cancel()
    server.faults = Faults(rates={"500": 0.3})
    server.gate.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    kinds = Counter(type(result) for result in results)
    assert kinds[asyncio.CancelledError] == 10
    assert kinds[TransientModelError] > 0
    assert (model.in_flight, model.waiting) == (0, 0)
    server.faults = Faults()
    assert (await model.complete(ask())).text == "hello"
    await model.aclose()


async def test_a_function_of_a_text_is_a_model() -> None:
    threads: set[str] = set()

    def shout(prompt: str, seed: int | None = None) -> str:
        threads.add(threading.current_thread().name)
        return f"{prompt.upper()} {seed}"

    model = CompleteNModel(CallableModel(shout))
    reply = await model.complete(ask("abc", n=3, seed=5))
    assert reply.texts == ("ABC 5", "ABC 6", "ABC 7")
    # A slow function must not hold up the others.
    assert threading.current_thread().name not in threads
    assert model.identity.startswith("python/tests.model.test_layers.")
    assert CallableModel(shout, name="mine").identity == "python/mine"
    assert (await model.complete(Request(prompt="raw"))).text == "RAW None"


async def test_an_async_function_of_messages_is_a_model() -> None:
    async def last(messages: Sequence[dict[str, str]]) -> str:
        return f"{len(messages)} {messages[-1]['role']} {messages[-1]['content']}"

    request = Request(messages=(Message("system", "s"), Message("user", "u")))
    assert (await CallableModel(last).complete(request)).text == "2 user u"


async def test_an_object_that_can_be_called_is_a_model() -> None:
    class Echo:
        def __call__(self, prompt: str) -> str:
            return prompt

    assert (await CallableModel(Echo()).complete(ask("x"))).text == "x"


async def test_a_list_annotation_asks_for_messages() -> None:
    def count(chat: list[dict[str, str]], n: int) -> list[str]:
        return [f"{len(chat)} of {n}"] * n

    assert (await CallableModel(count).complete(ask(n=2))).texts == ("1 of 2", "1 of 2")


async def test_a_function_that_gives_fewer_than_n_is_called_again() -> None:
    seeds: list[int] = []

    async def one(prompt: str, n: int, seed: int) -> list[str]:
        seeds.append(seed)
        return [f"{prompt} {seed}"]

    assert (await CompleteNModel(CallableModel(one)).complete(ask("a", n=3, seed=1))).texts == (
        "a 1",
        "a 2",
        "a 3",
    )
    assert seeds == [1, 2, 3]


async def test_a_text_holds_all_turns() -> None:
    turns = (Message("user", "2+2?"), Message("assistant", "It is 4."), Message("user", "Only the number."))
    model = CallableModel(lambda prompt: prompt)
    text = (await model.complete(Request(messages=turns))).text
    assert text == "User: 2+2?\n\nAssistant: It is 4.\n\nUser: Only the number."
    await model.aclose()


async def test_slow_functions_run_beside_each_other() -> None:
    together = threading.Barrier(20)

    def meet(prompt: str) -> str:
        together.wait(20)
        return prompt

    model = CallableModel(meet)
    await asyncio.gather(*(model.complete(ask(str(i))) for i in range(20)))
    await model.aclose()


async def test_a_lost_connection_in_a_function_may_pass() -> None:
    async def lost(prompt: str) -> str:
        raise ConnectionResetError("gone, Bearer abcdefgh")

    with pytest.raises(TransientModelError, match=r"raised ConnectionResetError: gone, \[key\]$"):
        await CallableModel(lost).complete(ask())


async def test_a_function_that_fails_is_one_line() -> None:
    def broken(prompt: str) -> str:
        raise ValueError("no\nluck")

    def wrong(prompt: str) -> Any:
        return 3

    for function, words in ((broken, "raised ValueError: no luck"), (wrong, "returned int")):
        with pytest.raises(PermanentModelError, match=words):
            await CallableModel(function).complete(ask())
