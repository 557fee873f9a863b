"""Anthropic's and Gemini's own wires through the real any-llm package, against a server that speaks them.

Run with `uv run --extra any-llm pytest tests/model/test_native.py`.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from gpo.config.models import ModelConfig
from gpo.errors import GPOError, PermanentModelError
from gpo.model.factory import open_model
from gpo.model.model import Message, Reply, Request
from gpo.run.compose import compose_sending
from tests.reliability.support import run, timeless
from tests.support.landscape import Landscape
from tests.support.native import LIMITED, OVERLOADED, NativeServer

KEY = "native-key-000"
pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("any_llm") is None, reason="any-llm is not installed"),
    # Their packages' own.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.timeout(120),
]
NAMES = ("anthropic:claude-x", "gemini:gemini-x")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))


async def ask(server: NativeServer, name: str, request: Request | None = None, **keys: Any) -> Reply:
    config = ModelConfig(model=name, base_url=server.address, retry_delay=0.001, **keys)
    opened = open_model(config, role="task")
    try:
        return await compose_sending(opened).model.complete(
            request or Request(messages=(Message("system", "Be brief."), Message("user", "Say tea")), seed=3)
        )
    finally:
        await opened.client.aclose()


async def test_a_run_comes_to_what_it_comes_to_on_the_plain_wire(tmp_path: Path) -> None:
    with NativeServer(answer=Landscape().answer) as server:
        plain = await run(server, tmp_path, "plain")
    with NativeServer(
        answer=Landscape().answer, key=KEY, refusals=(LIMITED, OVERLOADED), thinks=True
    ) as server:
        model = {"base_url": server.address, "max_tokens": 20, "concurrency": 8, "retry_delay": 0.001}
        models = {
            "task": {"model": NAMES[0], **model},
            "optimizer": {"model": NAMES[1], "temperature": 1, **model},
        }
        native = await run(server, tmp_path, "native", models=models)
        assert not [key for key, count in server.charged.items() if count > 1], "paid twice"
        again = await run(server, tmp_path, "native", models=models)
    told, found = timeless(plain), timeless(native)
    for key in ("status", "best_prompt", "scores", "improvement"):
        assert found[key] == told[key]
    assert timeless(again)["usage"] == found["usage"]
    assert found["endpoints"]["optimizer"]["left_out"] == ["n"]
    # What was thought is counted where the provider tells it, and shown.
    assert found["usage"]["optimizer"]["reasoning_tokens"] == 7 * found["usage"]["optimizer"]["calls"]
    assert found["usage"]["task"]["prompt_tokens"] == 42 * found["usage"]["task"]["calls"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_call_carries_what_the_configuration_says(name: str) -> None:
    with NativeServer(answer=lambda body: "tea", key=KEY, thinks=True) as server:
        reply = await ask(
            server, name, top_p=0.5, stop=("END",), temperature=0.3, extra_headers={"X-Team": "prompts"}
        )
    assert (reply.text, reply.finish_reasons) == ("tea", ("stop",))
    assert reply.reasoning[0].startswith("It could go left")
    (body,) = server.sent
    (headers,) = server.seen_headers
    assert headers["X-Team"] == "prompts"
    if name == NAMES[0]:
        assert (body["top_p"], body["stop_sequences"], body["system"]) == (0.5, ["END"], "Be brief.")
        assert reply.left_out == ("seed",)
        assert reply.usage.cached_tokens == 2
    else:
        told = body["generationConfig"]
        assert (told["topP"], told["stopSequences"], told["seed"]) == (0.5, ["END"], 3)
        assert reply.left_out == ()
        assert reply.usage.completion_tokens == 12


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ((401, {"error": {"type": "authentication_error", "message": f"bad key {KEY}"}}, {}), "api_key_env"),
        ((404, {"error": {"type": "not_found_error", "message": "model: claude-x"}}, {}), "HTTP 404"),
        ((400, {"error": {"message": "prompt is too long: 300000 tokens > 200000 maximum"}}, {}), "too long"),
    ],
)
async def test_errors_are_sorted_and_hold_no_key(name: str, refusal: Any, words: str) -> None:
    with (
        NativeServer(answer=lambda body: "tea", key=KEY, refusals=(refusal,) * 9) as server,
        pytest.raises(PermanentModelError, match=words) as failed,
    ):
        await ask(server, name)
    assert KEY not in str(failed.value)
    assert failed.value.scope == ("call" if words == "too long" else "run")
    assert len(server.sent) == 1, "tried again for nothing"


@pytest.mark.parametrize("name", NAMES)
async def test_nobody_there_is_one_line(name: str) -> None:
    config = ModelConfig(model=name, base_url="http://127.0.0.1:9", retry_delay=0.001, timeout=5)
    opened = open_model(config, role="task")
    with pytest.raises(GPOError, match=r"no model server answers at http://127\.0\.0\.1:9"):
        await compose_sending(opened).model.complete(Request(messages=(Message("user", "hi"),)))
    await opened.client.aclose()


@pytest.mark.parametrize("name", NAMES)
async def test_a_field_of_the_users_own_is_sent_and_its_refusal_named(name: str) -> None:
    with NativeServer(answer=lambda body: "tea", key=KEY) as server:
        if name == NAMES[0]:
            with pytest.raises(PermanentModelError, match=r"surprise stands in models\.\*\.extra_body"):
                await ask(server, name, extra_body={"surprise": 1})
            assert len(server.sent) == 1
        else:
            await ask(server, name, extra_body={"surprise": 1})
        assert server.sent[0]["surprise"] == 1
