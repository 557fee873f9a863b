"""Endpoints that are not OpenAI's: finish words, refusals, quotas, additions, sizes, addresses."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from aiohttp import web

from gpo.config.load import dump_config, parse_config
from gpo.config.masking import MASK
from gpo.config.models import ModelConfig
from gpo.errors import ConfigError, ModelError, PermanentModelError, TransientModelError
from gpo.model.finish import finish_reason
from gpo.model.layers.retry import RetryingModel, RetrySettings
from gpo.model.model import Message, Request
from gpo.model.openai.additions import additions
from gpo.model.openai.check import check_endpoint
from gpo.model.openai.client import OpenAIClient
from gpo.model.openai.errors import response_error
from gpo.model.openai.format import decode
from gpo.model.openai.refusals import refused_parameter, wait_in
from gpo.model.openai.url import wire_identity
from tests.support.server import Faults, ModelServer

ASK = Request(messages=(Message("user", "hello"),))
ALL = ("max_tokens", "temperature", "seed", "stop", "n", "system")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *((word, "length") for word in ("length", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens",
          "model_context_window_exceeded", "token_limit", "FINISH_REASON_MAX_TOKENS", "max-tokens")),
        *((word, "error") for word in ("error", "abort", "cancelled", "ERROR", "network_error",
          "insufficient_system_resource", "timeout", "time_limit")),
        *((word, "content_filter") for word in ("SAFETY", "content_filtered", "sensitive", "RECITATION", "refusal",
          "PROHIBITED_CONTENT", "BLOCKLIST")),
        *((word, "stop") for word in ("stop", "STOP", "end_turn", "eos", "COMPLETE", "stop_sequence")),
        (None, ""), ("tool_calls", "tool_calls"),
    ],
)  # fmt: skip
def test_any_endpoints_word_for_an_end_is_one_of_ours(said: Any, meant: str) -> None:
    assert finish_reason(said) == meant


def body(message: dict[str, Any], usage: dict[str, Any] | None = None, reason: str = "stop") -> bytes:
    data = {"choices": [{"message": message, "finish_reason": reason}], "usage": usage}
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    "message",
    [
        {"content": "B", "reasoning_content": "hm"},
        {"content": "B", "reasoning": "hm"},
        {"content": "B", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "B"}]},
        {"content": [{"type": "text", "text": "hm", "thought": True}, {"type": "text", "text": "B"}]},
    ],
)
def test_thoughts_beside_the_content_are_kept_apart(message: dict[str, Any]) -> None:
    reply = decode(body(message), ASK, "here")
    assert (reply.texts, reply.reasoning) == (("B",), ("hm",))


@pytest.mark.parametrize(
    ("usage", "completion", "reasoning"),
    [
        ({"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}}, 9, 7),
        ({"completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 7}}, 9, 7),
        ({"completion_tokens": 2, "prompt_tokens": 1, "total_tokens": 10}, 9, 7),
        ({"completion_tokens": 2, "prompt_tokens": 1, "total_tokens": 3}, 2, 0),
    ],
)
def test_thoughts_count_as_completion(usage: dict[str, Any], completion: int, reasoning: int) -> None:
    found = decode(body({"content": "B"}, usage), ASK, "here").usage
    assert (found.completion_tokens, found.reasoning_tokens) == (completion, reasoning)


def test_a_completion_that_broke_off_is_no_answer() -> None:
    with pytest.raises(TransientModelError, match="broke off"):
        decode(body({"content": "half"}, reason="network_error"), ASK, "here")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}, "seed"),
        ({"detail": "body -> n\n  Extra inputs are not permitted"}, "n"),
        ([{"error": {"message": 'Unknown name "seed": Cannot find field.'}}], "seed"),
        ({"error": {"message": "`temperature` is deprecated for this model."}}, "temperature"),
        ({"error": {"message": "Unrecognized request argument supplied: max_tokens"}}, "max_tokens"),
        ({"error": {"message": "Only one candidate can be specified in the current model"}}, "n"),
        ({"message": "System role not supported"}, "system"),
        ({"error": {"message": "Conversation roles must alternate user/assistant/user/assistant"}}, "system"),
        ({"error": {"message": "Content Exists Risk"}}, None),
        ({"detail": [{"loc": ["body", "messages", 0, "content"], "msg": "invalid"}]}, None),
        ({"error": {"message": "the output limit was reached, try a higher max_tokens"}}, None),
    ],
)
def test_a_refused_parameter_is_found_in_anybodys_words(data: Any, name: str | None) -> None:
    assert refused_parameter(json.dumps(data).encode(), ALL) == name


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Rate limit reached. Please try again in 12.5s.", 12.5),
        ("Try again in 60ms", 0.06),
        ("try again in 1m30s", 90),
        ('{"retryDelay": "7s"}', 7),
        ("Please retry after 5 seconds", 5),
        ("nothing of that", None),
    ],
)
def test_the_wait_in_a_body_is_read(words: str, seconds: float | None) -> None:
    assert wait_in(words.encode()) == seconds


@pytest.mark.parametrize(
    ("status", "message", "passes"),
    [
        (429, "You exceeded your current quota, check billing. Limit 10 requests per minute", True),
        (403, "Quota exceeded for quota metric 'requests' and limit 'requests per minute'", True),
        (403, "RESOURCE_EXHAUSTED", True),
        (429, "You exceeded your current quota, check your plan and billing details.", False),
        (429, "limit: 0, requests per minute. Retry in 3s", False),
        (403, "this key may not do that", False),
    ],
)
def test_what_is_counted_a_minute_passes(status: int, message: str, passes: bool) -> None:
    error = response_error(
        status, {}, json.dumps({"error": {"message": message}}).encode(), endpoint="x", key=None
    )
    assert isinstance(error, TransientModelError) == passes
    assert not isinstance(error, TransientModelError) or error.status == 429


def test_two_queries_are_two_endpoints_and_a_key_is_none() -> None:
    weak, strong = (wire_identity(f"http://h/v1?deployment={d}", "m") for d in ("weak", "strong"))
    assert weak != strong
    assert wire_identity("http://h/v1?tenant=a", "m") != wire_identity("http://h/v1?tenant=b", "m")
    assert "secret-tenant" not in wire_identity("http://h/v1?tenant=secret-tenant", "m")
    assert wire_identity("http://h/v1?api_key=1&x=2", "m") == wire_identity("http://h/v1?x=2&api_key=9", "m")
    assert wire_identity("http://h/v1", "m") == "http://h/v1 m"


async def test_additions_are_sent_and_are_part_of_the_identity(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "k-secret-000")
    config = ModelConfig.model_validate(
        {
            "model": "m", "top_p": 0.5, "reasoning_effort": "low", "stop": ("END",),
            "extra_body": {"a": 1, "b": {"c": 2}},
            "extra_headers": {"api-key": {"env": "MY_KEY"}, "X-Team": "blue"},
        }
    )  # fmt: skip
    wire = OpenAIClient(base_url=server.base_url, model="m", added=additions(config, "models.task"))
    await wire.complete(ASK)
    await wire.aclose()
    call = server.log[0]
    assert {key: call.body[key] for key in ("top_p", "reasoning_effort", "stop", "a", "b")} == {
        "top_p": 0.5, "reasoning_effort": "low", "stop": ["END"], "a": 1, "b": {"c": 2},
    }  # fmt: skip
    assert (call.headers["api-key"], call.headers["X-Team"]) == ("k-secret-000", "blue")
    known = wire.identity
    monkeypatch.setenv("MY_KEY", "k-another-1")
    swapped = config.model_copy(update={"extra_body": {"b": {"c": 2}, "a": 1}})
    assert additions(swapped, "").digest == additions(config, "").digest
    assert known.startswith(f"{wire_identity(server.base_url, 'm')} +")
    assert additions(config.model_copy(update={"top_p": 0.6}), "").digest not in known
    assert additions(ModelConfig(model="m"), "").identity("x") == "x"


def test_headers_and_keys_stand_in_no_file_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    model = {
        "model": "m",
        "base_url": "http://h/v1",
        "extra_headers": {"X-Key": "literal-value", "E": {"env": "NAME"}},
    }
    data = {"task": {"data": "d.jsonl"}, "models": {"task": model, "optimizer": model}}
    text = dump_config(parse_config(data))
    assert "literal-value" not in text
    assert "NAME" in text
    with pytest.raises(ConfigError, match=r"E: the environment variable NAME is not set"):
        additions(ModelConfig.model_validate(model), "models.task")
    with pytest.raises(ConfigError) as caught:
        additions(
            ModelConfig.model_validate({"model": "m", "extra_headers": {"E": {"env": "sk-oh-no"}}}),
            "models.task",
        )
    assert "sk-oh-no" not in str(caught.value)
    with pytest.raises(ConfigError, match="put the value in again"):
        additions(ModelConfig(model="m", extra_headers={"E": MASK}), "models.task")
    with pytest.raises(ConfigError) as wrong:
        parse_config(
            {**data, "models": {"task": {**model, "extra_headers": {"X": 123456}}, "optimizer": model}}
        )
    assert "123456" not in str(wrong.value)


async def test_a_field_of_the_users_own_is_named_and_never_left_out(server: ModelServer) -> None:
    server.refuse = frozenset({"odd_field"})
    config = ModelConfig(model="m", extra_body={"odd_field": 1})
    wire = OpenAIClient(base_url=server.base_url, model="m", added=additions(config, ""))
    with pytest.raises(PermanentModelError, match=r"'odd_field' is not supported.*models\.\*\.extra_body"):
        await wire.complete(ASK)
    await wire.aclose()
    assert all("odd_field" in call.body for call in server.log)


class _Answers(ModelServer):
    """Answers every call with `data`, packed where `packed`."""

    data = b""
    packed = False

    async def _handle(self, request: web.Request, body: dict[str, Any]) -> tuple[str, web.Response]:
        headers = {"Content-Type": "application/json"} | ({"Content-Encoding": "gzip"} if self.packed else {})
        return "raw", web.Response(
            body=gzip.compress(self.data) if self.packed else self.data, headers=headers
        )


@pytest.mark.parametrize("packed", [False, True])
async def test_a_response_has_a_largest_size(packed: bool) -> None:
    with _Answers() as server:
        server.packed = packed
        server.data = json.dumps({"choices": [{"message": {"content": "x" * 40 * 2**20}}]}).encode()
        wire = OpenAIClient(base_url=server.base_url, model="m")
        with pytest.raises(PermanentModelError, match="larger than 32 MB"):
            await wire.complete(ASK)
        server.data = json.dumps({"choices": [{"message": {"content": "B"}}]}).encode()
        assert (await wire.complete(ASK)).text == "B"
        await wire.aclose()


async def test_a_server_that_loads_its_model_is_waited_for_and_said(server: ModelServer) -> None:
    server.faults = Faults(rates={"loading": 1.0}, per_request=9)
    said: list[str] = []
    client = OpenAIClient(base_url=server.base_url, model="m")
    model = RetryingModel(client, RetrySettings(attempts=2, first_delay=0.0), say=said.append)
    assert (await model.complete(ASK)).text == "hello"
    await model.aclose()
    assert len(said) == 1
    assert "waiting until it is loaded" in said[0]


async def test_an_address_without_v1_is_told_what_answers(server: ModelServer) -> None:
    wire = OpenAIClient(base_url=server.base_url.removesuffix("/v1"), model="m")
    with pytest.raises(ModelError, match=r"has no /v1: .*/v1 answers"):
        await wire.complete(ASK)
    await wire.aclose()


async def test_a_check_finds_what_an_endpoint_takes_with_a_dozen_calls(server: ModelServer) -> None:
    server.answer = lambda body: "<think>17 times 23</think>391"
    server.refuse = frozenset({"max_tokens", "seed"})
    server.max_choices = 1
    wire = OpenAIClient(base_url=server.base_url, model="m")
    found = await check_endpoint(wire, "m")
    await wire.aclose()
    assert server.stats.calls <= 12
    assert (found.reachable, found.key_accepted, found.thinks) == (True, True, "content")
    assert found.length_parameter == "max_completion_tokens"
    assert found.takes == {
        "temperature": True, "n": False, "seed": False, "system": True, "logprobs": False, "structured": False,
    }  # fmt: skip
    server.key = "another"
    wire = OpenAIClient(base_url=server.base_url, model="m", api_key="sk-wrong-000000")
    refused = await check_endpoint(wire, "m")
    await wire.aclose()
    assert (refused.reachable, refused.key_accepted) == (True, False)
    assert "sk-wrong" not in refused.error
