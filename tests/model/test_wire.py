"""The wire client from outside, through a real server on loopback."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gpo.errors import ConfigError, PermanentModelError
from gpo.model.layers.complete_n import CompleteNModel
from gpo.model.model import Message, Request, Usage
from gpo.model.openai.client import OpenAIClient
from tests.support.server import ModelServer

KEY = "sk-test-0123456789abcdef"


def ask(text: str = "Say hello to me", **changes: Any) -> Request:
    return Request(messages=(Message("user", text),), **changes)


@pytest.fixture
async def wire(server: ModelServer) -> AsyncIterator[OpenAIClient]:
    opened = OpenAIClient(base_url=server.base_url, model="m")
    yield opened
    await opened.aclose()


async def test_a_chat_is_sent_as_asked_and_counted_as_the_server_counts(
    server: ModelServer, wire: OpenAIClient
) -> None:
    server.cached_share = 0.5
    request = Request(
        messages=(Message("system", "Be short"), Message("user", "Say hello STOP there")),
        temperature=0.5,
        max_tokens=9,
        seed=7,
        stop=("STOP",),
        sample=3,
        purpose="score",
    )
    reply = await wire.complete(request)
    assert server.bodies() == [
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be short"},
                {"role": "user", "content": "Say hello STOP there"},
            ],
            "max_tokens": 9,
            "temperature": 0.5,
            "seed": 7,
            "stop": ["STOP"],
        }
    ]
    assert reply.texts == ("Say hello ",)
    assert reply.finish_reasons == ("stop",)
    assert reply.usage == Usage(prompt_tokens=6, completion_tokens=2, cached_tokens=3)
    assert reply.seconds > 0


async def test_a_prompt_is_a_plain_completion(server: ModelServer, wire: OpenAIClient) -> None:
    reply = await wire.complete(Request(prompt="one two three", max_tokens=2))
    assert (server.log[0].path, reply.text, reply.finish_reasons) == (
        "/v1/completions",
        "one two",
        ("length",),
    )
    assert "messages" not in server.log[0].body


async def test_no_key_is_sent_where_there_is_none(server: ModelServer, wire: OpenAIClient) -> None:
    await wire.complete(ask())
    assert "Authorization" not in server.log[0].headers


@pytest.mark.parametrize("ending", ["", "/", "/chat/completions", "?api-version=1"])
async def test_the_base_url_may_be_written_in_several_ways(server: ModelServer, ending: str) -> None:
    wire = OpenAIClient(base_url=server.base_url + ending, model="m", api_key=f" {KEY}\n")
    assert (await wire.complete(ask())).text == "Say hello to me"
    assert server.log[0].headers["Authorization"] == f"Bearer {KEY}"
    assert wire.identity == f"{server.base_url} m"
    await wire.aclose()


async def test_credentials_in_the_base_url_are_sent_and_not_shown(server: ModelServer) -> None:
    url = server.base_url.replace("http://", "http://ada:s%40cret@")
    wire = OpenAIClient(base_url=url, model="m")
    await wire.complete(ask())
    assert server.log[0].headers["Authorization"] == "Basic YWRhOnNAY3JldA=="  # ada:s@cret
    assert "cret" not in wire.identity
    await wire.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000/v1",
        "ftp://host/v1",
        "http://",
        "http://host:99999/v1",
        "http://ho..st/v1",
        f"http://{'x' * 64}/v1",
    ],
)
def test_what_is_no_address_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError, match="is no address of a server"):
        OpenAIClient(base_url=url, model="m")


def test_a_key_that_cannot_be_sent_is_told_without_the_key() -> None:
    with pytest.raises(ConfigError) as caught:
        OpenAIClient(base_url="http://127.0.0.1:1/v1", model="m", api_key="abc\r\nX-Evil: 1")
    assert "Evil" not in str(caught.value)


async def test_n_is_asked_for_at_once_where_the_server_knows_it(
    server: ModelServer, wire: OpenAIClient
) -> None:
    reply = await wire.complete(ask(n=3, seed=10))
    assert reply.texts == tuple(f"Say hello to me [{seed}]" for seed in (10, 11, 12))
    assert [body["n"] for body in server.bodies()] == [3]
    assert len(reply.finish_reasons) == 3


@pytest.mark.parametrize("most", [1, 2])
async def test_the_completions_that_a_server_leaves_out_are_asked_for_one_by_one(
    server: ModelServer, wire: OpenAIClient, most: int
) -> None:
    whole = await CompleteNModel(wire).complete(ask(n=4, seed=10))
    server.log.clear()
    server.max_choices = most
    reply = await CompleteNModel(wire).complete(ask(n=4, seed=10))
    assert reply.texts == whole.texts
    # 4 words of the question a call, 5 words an answer; a call that gives two counts its prompt once.
    assert reply.usage == Usage(prompt_tokens=4 * (4 - most + 1), completion_tokens=20)
    assert sorted(body["seed"] for body in server.bodies()) == [10, *range(10 + most, 14)]


async def test_a_server_that_gives_one_is_asked_for_n_once(server: ModelServer, wire: OpenAIClient) -> None:
    server.max_choices = 1
    await CompleteNModel(wire).complete(ask(n=2))
    await CompleteNModel(wire).complete(ask(n=2))
    assert [body.get("n") for body in server.bodies()] == [2, None, None, None]


async def test_the_reply_has_what_one_call_brought(server: ModelServer) -> None:
    server.max_choices = 1
    wire = OpenAIClient(base_url=server.base_url, model="m")
    assert len((await wire.complete(ask(n=3, seed=1))).texts) == 1
    assert server.stats.calls == 1
    await wire.aclose()


async def test_parameters_that_a_model_refuses_are_left_out_and_remembered(
    server: ModelServer, wire: OpenAIClient
) -> None:
    server.refuse = frozenset({"max_tokens", "temperature", "seed", "stop"})
    # All of them leave before the first refusal is back, and none may be lost to it.
    replies = await asyncio.gather(
        *(wire.complete(ask(f"a b{i} x c", seed=1, stop=("x",))) for i in range(20))
    )
    assert [reply.text for reply in replies] == [f"a b{i} " for i in range(20)]
    server.log.clear()
    await wire.complete(ask("again", max_tokens=5))
    assert [call.outcome for call in server.log] == ["ok"]
    assert server.log[0].body.keys() == {"model", "messages", "max_completion_tokens"}
    assert server.log[0].body["max_completion_tokens"] == 5
    assert wire.lacking == {"max_tokens", "temperature", "seed", "stop"}


async def test_text_that_has_no_utf8_form_is_replaced_and_arrives(
    server: ModelServer, wire: OpenAIClient
) -> None:
    reply = await wire.complete(ask('\ud800 {} %s \x00 \u202e "é" 漢'))
    assert reply.text == '? {} %s \x00 \u202e "é" 漢'
    server.answer = lambda body: "lone \ud800 surrogate"
    (await wire.complete(ask())).text.encode()  # the server's JSON escapes it; no database would take it


async def test_a_server_without_usage_counts_nothing(server: ModelServer, wire: OpenAIClient) -> None:
    server.with_usage = False
    assert (await wire.complete(ask())).usage == Usage()


async def test_an_empty_answer_is_an_empty_text(server: ModelServer, wire: OpenAIClient) -> None:
    server.answer = lambda body: ""
    assert (await wire.complete(ask())).texts == ("",)


async def test_there_are_as_many_connections_as_calls(server: ModelServer, wire: OpenAIClient) -> None:
    server.gate.clear()
    calls = [asyncio.create_task(wire.complete(ask(str(i)))) for i in range(150)]
    await server.wait_for(150)
    server.gate.set()
    assert [reply.text for reply in await asyncio.gather(*calls)] == [str(i) for i in range(150)]


async def test_a_cancelled_call_leaves_the_others_and_the_pool_alone(
    server: ModelServer, wire: OpenAIClient
) -> None:
    server.gate.clear()
    calls = [asyncio.create_task(wire.complete(ask(f"call {i}"))) for i in range(10)]
    await server.wait_for(10)
    for call in calls[:5]:
        call.cancel()
    await asyncio.wait(calls[:5])
    assert all(call.cancelled() for call in calls[:5])
    server.gate.set()
    replies = await asyncio.gather(*calls[5:], *(wire.complete(ask(f"call {i}")) for i in range(10)))
    assert [reply.text for reply in replies] == [f"call {i}" for i in [*range(5, 10), *range(10)]]


LOOPS = """
import asyncio, sys
from gpo.model.model import Message, Request
from gpo.model.openai.client import OpenAIClient
wire = OpenAIClient(base_url=sys.argv[1], model="m")
for i in range(3):
    print(asyncio.run(wire.complete(Request(messages=(Message("user", str(i)),)))).text)
asyncio.run(wire.aclose())
"""


def test_a_client_survives_its_event_loop_without_a_word(server: ModelServer) -> None:
    command = [sys.executable, "-c", LOOPS, server.base_url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("0\n1\n2\n", "", 0)


async def test_it_can_be_closed_twice_and_used_again(wire: OpenAIClient) -> None:
    await wire.aclose()
    await wire.complete(ask())
    await wire.aclose()
    await wire.aclose()


async def test_the_key_is_checked_by_the_server(server: ModelServer) -> None:
    server.key = KEY
    good = OpenAIClient(base_url=server.base_url, model="m", api_key=KEY)
    await good.complete(ask())
    await good.aclose()
    wrong = "sk-wrong-9876543210zyxwvu"
    bad = OpenAIClient(base_url=server.base_url, model="m", api_key=wrong)
    with pytest.raises(PermanentModelError, match="401: Incorrect API key provided") as caught:
        await bad.complete(ask())
    assert caught.value.scope == "run"
    assert wrong not in str(caught.value)
    await bad.aclose()
