"""What goes wrong on the wire: which error it becomes, and that no secret stands in it."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.config.models import Price
from gpo.errors import ModelError, PermanentModelError, TransientModelError
from gpo.model.model import Message, Request, Usage
from gpo.model.openai.additions import Additions
from gpo.model.openai.client import OpenAIClient
from gpo.model.openai.errors import (
    EmptyReplyError,
    UnreachableError,
    redact,
    response_error,
    retry_after,
)
from gpo.model.openai.format import decode
from gpo.model.openai.refusals import refused_parameter
from gpo.model.prices import cost
from tests.support.server import FaultKind, Faults, ModelServer

SENT = ("max_tokens", "temperature", "seed", "stop", "n")
ASK = Request(messages=(Message("user", "hello"),))


@pytest.fixture(params=["own", "aiohttp"])
async def wire(server: ModelServer, request: pytest.FixtureRequest) -> AsyncIterator[OpenAIClient]:
    # A header that changes how a request is sent is aiohttp's.
    added = Additions(headers={"Connection": "keep-alive"} if request.param == "aiohttp" else {})
    opened = OpenAIClient(base_url=server.base_url, model="m", added=added)
    yield opened
    await opened.aclose()


async def failure(wire: OpenAIClient) -> Any:
    with pytest.raises(ModelError) as caught:
        await wire.complete(ASK)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("429", 429),
        ("500", 500),
        ("502", 502),
        ("503", 503),
        ("reset", None),
        ("truncated", None),
        ("garbage", 200),
        ("html", 200),
    ],
)
async def test_what_may_pass_is_transient(
    server: ModelServer, wire: OpenAIClient, fault: FaultKind, status: int | None
) -> None:
    server.faults = Faults(rates={fault: 1.0}, per_request=1)
    error = await failure(wire)
    assert isinstance(error, TransientModelError)
    assert not isinstance(error, UnreachableError)
    assert (error.status, error.unsent) == (status, False)
    assert (await wire.complete(ASK)).text == "hello"


async def test_a_server_that_keeps_silent_is_given_up(server: ModelServer) -> None:
    server.faults = Faults(rates={"hang": 1.0})
    wire = OpenAIClient(base_url=server.base_url, model="m", timeout=0.2)
    error = await failure(wire)
    assert isinstance(error, TransientModelError)
    assert "no answer in 0.2 s" in str(error)
    await wire.aclose()


@pytest.mark.parametrize(
    ("fault", "scope", "words"),
    [
        ("wrong_key", "run", "Incorrect API key provided.; check the key (api_key_env)"),
        ("no_model", "run", "The model does not exist; check the model and base_url"),
        ("quota", "run", "You exceeded your current quota"),
        ("overflow", "call", "maximum context length is 8192 tokens"),
        ("content_filter", "call", "the content filter refused the call"),
    ],
)
async def test_what_would_fail_again_is_permanent(
    server: ModelServer, wire: OpenAIClient, fault: FaultKind, scope: str, words: str
) -> None:
    server.faults = Faults(rates={fault: 1.0})
    error = await failure(wire)
    assert isinstance(error, PermanentModelError)
    assert error.scope == scope
    assert words in str(error)


async def test_a_reply_without_choices_may_be_asked_for_again(
    server: ModelServer, wire: OpenAIClient
) -> None:
    server.faults = Faults(rates={"no_choices": 1.0})
    error = await failure(wire)
    assert isinstance(error, EmptyReplyError)
    assert "answered without a completion" in str(error)


async def test_an_unknown_model_is_named(server: ModelServer, wire: OpenAIClient) -> None:
    server.models = frozenset({"other"})
    assert "The model `m` does not exist" in str(await failure(wire))


async def test_the_wait_that_the_server_asks_for_is_passed_on(
    server: ModelServer, wire: OpenAIClient
) -> None:
    server.faults = Faults(rates={"429_retry_after": 1.0}, retry_after="7")
    assert (await failure(wire)).retry_after == 7.0


async def test_a_server_that_is_not_there_was_sent_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    wire = OpenAIClient(base_url=f"http://127.0.0.1:{port}/v1", model="m")
    error = await failure(wire)
    assert isinstance(error, UnreachableError)
    # Whoever keeps a budget must not charge for it.
    assert error.unsent
    assert str(error) == f"no model server answers at http://127.0.0.1:{port}/v1 (connection refused)"
    await wire.aclose()


async def test_https_to_a_server_without_it_is_permanent(server: ModelServer) -> None:
    wire = OpenAIClient(base_url=server.base_url.replace("http", "https"), model="m")
    error = await failure(wire)
    assert isinstance(error, PermanentModelError)
    assert "check base_url (http or https?)" in str(error)
    await wire.aclose()


KEY = "Abc/123+xyz=="


@pytest.mark.parametrize(
    "words",
    [
        f"your key {KEY} is wrong",
        f"your key {KEY.lower()} is wrong",
        "your key Abc%2F123%2Bxyz%3D%3D is wrong",
        "header: Bearer something-of-ours",
        "sk-proj-abcdef0123456789 is wrong",
        f"padding {'x ' * 95} {KEY}",
        f"\x1b[31m{KEY[:4]}\x00{KEY[4:]}\u202e is wrong",
    ],
)
def test_no_key_and_no_control_character_is_in_a_message(words: str) -> None:
    for body in (json.dumps({"error": {"message": words}}), json.dumps({"error": words}), words):
        line = str(response_error(400, {}, body.encode(), endpoint="here", key=KEY))
        for secret in (KEY, KEY.lower(), "Abc%2F", "something-of-ours", "abcdef0123456789", "123+xyz"):
            assert secret not in line
        assert line.isprintable()
        assert len(line) < 300


@given(st.text(), st.text(min_size=3))
def test_redaction_leaves_no_key(text: str, key: str) -> None:
    assert key not in redact(text + key + text, key).replace("[key]", "\0")


@given(st.integers(100, 599).filter(lambda status: status != 200), st.binary(max_size=300))
def test_any_error_body_becomes_one_printable_line(status: int, body: bytes) -> None:
    error = response_error(status, {}, body, endpoint="here", key="k-123456")
    assert isinstance(error, TransientModelError | PermanentModelError)
    assert str(error).isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["stop", "length"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "content", "text", "usage", "index", "finish_reason", "error", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
)


def test_of_a_page_the_tags_are_left_out_and_no_words() -> None:
    body = b"<h1>limit < 5 <b>requests</b></h1>" + b"<" * 19_000
    assert "limit < 5 requests" in str(response_error(502, {}, body, endpoint="here", key=None))


@pytest.mark.parametrize("tokens", [10**30, int("1" + "0" * 400), 2**63])
def test_no_count_of_tokens_is_larger_than_any_sum_can_hold(tokens: int) -> None:
    usage = {
        "prompt_tokens": tokens,
        "completion_tokens": tokens,
        "prompt_tokens_details": {"cached_tokens": tokens},
    }
    data = {"choices": [{"text": "x", "finish_reason": "stop"}], "usage": usage}
    found = decode(json.dumps(data).encode(), ASK, "here").usage
    assert found.prompt_tokens == found.completion_tokens == found.cached_tokens > 10**9
    assert found.prompt_tokens * 1_000_000 < 2**63  # SQLite's largest integer
    assert (cost(found, Price(input=1, output=1)) or 0) > 0
    strange = {"prompt_tokens": -1, "completion_tokens": "many", "prompt_tokens_details": 3}
    assert decode(json.dumps({**data, "usage": strange}).encode(), ASK, "here").usage == Usage()


@given(JSON)
def test_any_json_is_a_reply_or_an_error_of_ours(data: Any) -> None:
    try:
        reply = decode(json.dumps(data).encode(), ASK, "here")
    except (ValueError, PermanentModelError, EmptyReplyError):
        return
    assert len(reply.texts) == 1
    reply.text.encode()


def body(message: Any, reason: str | None = "stop") -> bytes:
    return json.dumps({"choices": [{"message": message, "finish_reason": reason}]}).encode()


def test_null_is_an_empty_text_only_where_the_model_stopped() -> None:
    for reason in ("stop", "length"):
        assert decode(body({"content": None}, reason), ASK, "here").texts == ("",)
    for wrong in ({"content": None}, {"content": None, "refusal": "I will not"}):
        with pytest.raises(PermanentModelError) as caught:
            decode(body(wrong, "tool_calls"), ASK, "here")
        assert caught.value.scope == "call"


def test_content_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert decode(body({"content": parts}), ASK, "here").text == "ab"


def test_choices_come_in_the_order_of_their_index() -> None:
    choices = [{"index": i, "text": str(i), "finish_reason": "stop"} for i in (2, 0, 1)]
    reply = decode(json.dumps({"choices": choices}).encode(), Request(prompt="x", n=3), "here")
    assert reply.texts == ("0", "1", "2")


@pytest.mark.parametrize(
    ("message", "param", "expected"),
    [
        ("Unsupported parameter: 'max_tokens' is not supported with this model.", "max_tokens", "max_tokens"),
        ("Unsupported parameter: 'max_tokens' is not supported with this model.", None, "max_tokens"),
        (
            "Unsupported value: 'temperature' does not support 0 with this model.",
            "temperature",
            "temperature",
        ),
        ("Only one completion choice is allowed", None, "n"),
        ("'n' : number must be at most 1", None, "n"),
        ("n must be 1 when using greedy sampling", None, "n"),
        ("maximum context length is 10 tokens, you gave 'max_tokens' 20", None, None),
        ("The image format is not supported", None, None),
    ],
)
def test_a_refused_parameter_is_recognized(message: str, param: str | None, expected: str | None) -> None:
    data = json.dumps({"error": {"message": message, "param": param}}).encode()
    assert refused_parameter(data, SENT) == expected


def test_retry_after_is_read_in_all_its_forms() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert retry_after({"Retry-After": "2.5"}) == 2.5
    assert retry_after({"retry-after-ms": "1500", "Retry-After": "9"}) == 1.5
    assert 25 < (retry_after({"RETRY-AFTER": soon}) or 0) <= 30
    assert retry_after({"Retry-After": "-3"}) == 0.0
    assert retry_after({"Retry-After": "1e9"}) == 3600.0
    for nothing in ({}, {"Retry-After": "soon"}, {"Retry-After": "nan"}, {"Retry-After": "inf"}):
        assert retry_after(nothing) is None
