"""The embedded engine with the real 135M model: many requests, crashes, a parent that is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gpo.errors import PermanentModelError
from gpo.model.layers.complete_n import CompleteNModel
from gpo.model.local import weights
from gpo.model.local.engine import RESTARTS, Engine, EngineSettings
from gpo.model.local.model import EmbeddedModel, open_embedded
from gpo.model.model import Message, Request

SMALL = EngineSettings(slots=4, context=256, threads=1)

ORPHAN = """
import json, sys, time
from pathlib import Path
from gpo.model.local.engine import Engine, EngineSettings
server = Engine(Path(sys.argv[1]), name="orphan", settings=EngineSettings(slots=1, context=64, threads=1)).start()
print(server.process.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def running(smollm2: weights.GGUF) -> Iterator[weights.GGUF]:
    """Holds one engine for the whole module: the tests' handles with the same settings share it."""
    holder = open_embedded(smollm2.path, identity=smollm2.identity, name=smollm2.name, settings=SMALL)
    asyncio.run(holder.start())
    yield smollm2
    asyncio.run(holder.aclose())


@pytest.fixture
async def model(running: weights.GGUF) -> AsyncIterator[EmbeddedModel]:
    opened = open_embedded(running.path, identity=running.identity, name=running.name, settings=SMALL)
    yield opened
    await opened.aclose()


def ask(text: str, **changes: object) -> Request:
    request = Request(messages=(Message("user", text),), max_tokens=8)
    return replace(request, **changes)  # type: ignore[arg-type]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(pid: int) -> bool:
    for _ in range(200):
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


def pid_of(engine: Engine) -> int:
    assert engine.server is not None
    assert engine.server.process is not None
    return engine.server.process.pid


async def test_nothing_is_loaded_before_the_first_call(smollm2: weights.GGUF) -> None:
    opened = open_embedded(
        smollm2.path, identity=smollm2.identity, name=smollm2.name, settings=replace(SMALL, slots=1)
    )
    assert opened.engine.server is None
    assert opened.identity == f"local/smollm2-135m@{smollm2.sha256[:12]}"
    await opened.aclose()


async def test_more_requests_than_slots_are_all_answered(model: EmbeddedModel) -> None:
    replies = await asyncio.gather(*[model.complete(ask(f"Say the number {n}.")) for n in range(12)])
    assert all(reply.text.strip() for reply in replies)
    assert all(0 < reply.usage.completion_tokens <= 8 for reply in replies)
    assert {reason for reply in replies for reason in reply.finish_reasons} <= {"stop", "length"}


async def test_n_completions_differ_and_are_all_counted(model: EmbeddedModel) -> None:
    reply = await model.complete(ask("Write a sentence about the sea.", n=3, temperature=1.0, seed=1))
    assert len(set(reply.texts)) == 3
    assert reply.usage.completion_tokens > 16
    assert reply.usage.prompt_tokens < 60  # the prompt is read once


async def test_more_completions_than_slots(model: EmbeddedModel) -> None:
    reply = await CompleteNModel(model).complete(
        ask("Write a sentence about the sea.", n=6, temperature=1.0, seed=1)
    )
    assert len(set(reply.texts)) == len(reply.finish_reasons) == 6


async def test_the_same_seed_repeats_a_sampled_reply(model: EmbeddedModel) -> None:
    request = ask("Invent a name for a ship.", temperature=1.0, max_tokens=16)
    await model.complete(request)  # from here on the prompt is read from the cache
    one, again, other = [(await model.complete(replace(request, seed=seed))).text for seed in (11, 11, 12)]
    assert one == again
    assert one != other


async def test_plain_completions_use_no_chat_template(model: EmbeddedModel) -> None:
    reply = await model.complete(Request(prompt="The capital of France is", max_tokens=4))
    assert "Paris" in reply.text
    assert reply.usage.prompt_tokens == 5


async def test_a_shared_beginning_comes_from_the_cache(model: EmbeddedModel) -> None:
    beginning = "Once upon a time there was a fox who lived in a wood near the river with nine cubs. " * 4
    await model.complete(ask(beginning + "What was it?"))
    reply = await model.complete(ask(beginning + "How many cubs were there?"))
    assert reply.usage.cached_tokens > 60


async def test_a_lane_goes_back_to_the_slot_that_has_its_beginning(smollm2: weights.GGUF) -> None:
    # Left to itself this engine takes the slot that was used longest ago, whatever is in it.
    settings = replace(SMALL, slots=2, slot_similarity=0.0)
    model = open_embedded(smollm2.path, identity=smollm2.identity, name=smollm2.name, settings=settings)
    cached = []
    for number, prefix_group in enumerate("abbaabba"):
        beginning = (
            f"{prefix_group.upper()} fox lived in a wood near the river {prefix_group} with nine cubs. " * 5
        )
        reply = await model.complete(
            ask(f"{prefix_group} {beginning} Question {number}?", prefix_group=prefix_group, max_tokens=1)
        )
        cached.append(reply.usage.cached_tokens)
    assert max(cached[:2]) < 60 < min(cached[2:])
    await model.aclose()


async def test_a_request_that_does_not_fit_is_refused_alone(model: EmbeddedModel) -> None:
    with pytest.raises(PermanentModelError, match="context") as caught:
        await model.complete(ask("word " * 400))
    assert caught.value.scope == "call"
    assert (await model.complete(ask("Hello"))).text


async def test_without_the_key_nothing_is_served(model: EmbeddedModel) -> None:
    await model.start()
    server = model.engine.server
    assert server is not None
    assert server.url.startswith("http://127.0.0.1:")

    def status(key: str) -> int:
        call = urllib.request.Request(
            f"{server.url}/v1/completions",
            data=b'{"prompt": "a", "max_tokens": 1}',
            headers={"Authorization": f"Bearer {key}"},
        )
        try:
            with urllib.request.urlopen(call) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    assert await asyncio.to_thread(status, "wrong") == 401
    assert await asyncio.to_thread(status, server.key) == 200


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_the_key_shows_in_no_process_list(model: EmbeddedModel) -> None:
    await model.start()
    server = model.engine.server
    assert server is not None
    process = Path(f"/proc/{pid_of(model.engine)}")
    for what in ("cmdline", "environ"):
        assert server.key.encode() not in (process / what).read_bytes()


async def test_the_same_model_in_both_roles_is_one_engine(smollm2: weights.GGUF) -> None:
    settings = replace(SMALL, slots=2)
    first, second = [
        open_embedded(smollm2.path, identity=smollm2.identity, name=smollm2.name, settings=settings)
        for _ in range(2)
    ]
    await asyncio.gather(first.start(), second.start())
    assert first.engine is second.engine
    pid = pid_of(first.engine)
    await first.aclose()
    await first.aclose()
    assert (await second.complete(ask("Hello"))).text
    await second.aclose()
    assert wait_until_gone(pid)
    with pytest.raises(PermanentModelError, match="closed"):
        await second.complete(ask("Hello"))


async def test_who_never_used_it_keeps_no_engine_alive(smollm2: weights.GGUF) -> None:
    settings = replace(SMALL, slots=1, context=128)
    unused, used = [
        open_embedded(smollm2.path, identity=smollm2.identity, name=smollm2.name, settings=settings)
        for _ in range(2)
    ]
    await used.start()
    pid = pid_of(used.engine)
    await used.aclose()  # as when a run could not begin and forgot a model
    assert wait_until_gone(pid)
    assert (await unused.complete(ask("Hello"))).text, "it gets an engine of its own"
    pid = pid_of(unused.engine)
    await unused.aclose()
    assert wait_until_gone(pid)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a named pipe")
async def test_a_model_that_is_still_loading_can_be_closed(tmp_path: Path) -> None:
    pipe = tmp_path / "endless.gguf"
    os.mkfifo(pipe)  # whoever reads it waits for ever
    model = open_embedded(pipe, identity="local/endless", name="endless", settings=SMALL)
    # More calls than asyncio has threads wait for the engine.
    calls = [asyncio.create_task(model.complete(ask(str(n)))) for n in range(64)]
    while not (model.engine._server and model.engine._server.process):  # noqa: ASYNC110 - a thread starts it
        await asyncio.sleep(0.01)
    pid = model.engine._server.process.pid
    await asyncio.wait_for(model.aclose(), 60)
    assert wait_until_gone(pid)
    for error in await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 60):
        assert isinstance(error, PermanentModelError)
        assert "closed" in str(error)


async def test_a_crash_is_a_restart_and_cut_off_calls_are_made_again(smollm2: weights.GGUF) -> None:
    settings = replace(SMALL, slots=3)
    model = open_embedded(smollm2.path, identity=smollm2.identity, name=smollm2.name, settings=settings)
    await model.start()
    before = pid_of(model.engine)
    calls = [asyncio.create_task(model.complete(ask("Tell a long story.", max_tokens=64))) for _ in range(3)]
    await asyncio.sleep(0.3)
    assert not any(call.done() for call in calls)
    os.kill(before, signal.SIGKILL)
    replies = await asyncio.gather(*calls)
    assert all(reply.text for reply in replies)
    assert pid_of(model.engine) != before
    await model.aclose()


def test_an_engine_that_keeps_crashing_is_given_up(smollm2: weights.GGUF) -> None:
    engine = Engine(smollm2.path, name="fragile", settings=replace(SMALL, slots=1, context=64))
    for _ in range(RESTARTS + 1):
        server = engine.start()
        os.kill(pid_of(engine), signal.SIGKILL)
        assert server.gone.wait(10)
    with pytest.raises(PermanentModelError, match="crashed") as caught:
        engine.start()
    assert "\n" not in str(caught.value)
    engine.close()


def test_a_file_that_llama_cpp_refuses_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    engine = Engine(path, name="bad", settings=SMALL)
    with pytest.raises(PermanentModelError, match=r"bad: the engine did not start: .*GGUF") as caught:
        engine.start()
    assert "\n" not in str(caught.value)
    log = Path(str(caught.value).partition("(log: ")[2].rstrip(")"))
    assert log.exists()
    log.unlink()
    engine.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_engine_dies_with_a_parent_that_is_killed(smollm2: weights.GGUF) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHAN, str(smollm2.path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.communicate()
    assert wait_until_gone(child)
