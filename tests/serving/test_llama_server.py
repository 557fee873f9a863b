"""A real llama.cpp HTTP server in a process of its own, as any server behind a `base_url`: both wires, a whole run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from gpo.errors import PermanentModelError
from gpo.model.local import weights
from gpo.model.model import Message, Request
from gpo.model.openai.client import OpenAIClient
from tests.cli.gpo import gpo

NAME, KEY, KEY_ENV = "smollm2", "a-key-of-the-test", "LLAMA_SERVER_KEY"
SPLITS = {"train": range(10, 12), "dev": range(12, 15), "test": range(15, 17)}
SCRIPT = Path(__file__).with_name("llama_server.py")


@dataclass(frozen=True)
class Running:
    base_url: str

    def wire(self, key: str = KEY) -> OpenAIClient:
        return OpenAIClient(base_url=self.base_url, api_key=key, model=NAME, identity="llama-server")


@pytest.fixture(scope="module")
def llama() -> Iterator[Running]:
    path = weights.find("smollm2-135m")
    if path is None:
        pytest.skip("the 135M model is not in the local store: gpo models pull smollm2-135m")
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(path), NAME, KEY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        address = process.stdout.readline().strip()
        assert address, f"the server ended with {process.wait()}"
        yield Running(f"{address}/v1")
        process.stdin.close()
        process.wait()


async def test_chat_and_plain_completions(llama: Running) -> None:
    wire = llama.wire()
    chat = await wire.complete(Request(messages=(Message("user", "Name a colour."),), max_tokens=8))
    plain = await wire.complete(Request(prompt="Q: What is 1 + 1?\nA:", max_tokens=8, stop=("\nQ:",)))
    await wire.aclose()
    for reply in (chat, plain):
        assert reply.text.strip()
        assert 0 < reply.usage.completion_tokens <= 8
        assert reply.usage.prompt_tokens > 0


async def test_a_wrong_key_is_one_line_without_the_key(llama: Running) -> None:
    wire = llama.wire("not-the-key")
    with pytest.raises(PermanentModelError) as caught:
        await wire.complete(Request(messages=(Message("user", "Hello"),), max_tokens=1))
    await wire.aclose()
    assert "not-the-key" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("chat", [True, False])
def test_a_run_through_base_url(llama: Running, tmp_path: Path, chat: bool) -> None:
    write_data(tmp_path)
    (tmp_path / "gpo.yaml").write_text(yaml.safe_dump(settings(llama, chat=chat)))
    done = gpo("optimize", "gpo.yaml", "--json", cwd=tmp_path, env={KEY_ENV: KEY})
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["status"] == "complete"
    assert len(result["steps"]) == 1
    # Every prompt that was scored met the three dev rows, and two prompts at most the two test rows.
    assert result["usage"]["task"]["calls"] >= 3 + 2
    assert result["usage"]["optimizer"]["calls"] >= 1
    assert result["usage"]["task"]["completion_tokens"] > 0
    assert KEY not in done.stdout + done.stderr
    saved = [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert not [path for path in saved if KEY.encode() in path.read_bytes()]


def write_data(folder: Path) -> None:
    for split, numbers in SPLITS.items():
        rows = [{"input": f"Is {n} an even number?", "target": ("Yes", "No")[n % 2]} for n in numbers]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def settings(llama: Running, *, chat: bool) -> dict[str, Any]:
    """A run of one step: two candidates, three dev rows, two test rows."""
    model = {"model": NAME, "base_url": llama.base_url, "api_key_env": KEY_ENV, "concurrency": 8}
    return {
        "task": {"data": {split: f"{split}.jsonl" for split in SPLITS}, "answer": {"kind": "boolean"}},
        "prompt": "Answer with one word.",
        "models": {
            "task": {**model, "max_tokens": 4, "chat": chat},
            "optimizer": {**model, "max_tokens": 24},
        },
        "method": {"trajectory": "recency"},
        "optimize": {"epochs": 1, "batch_size": 2, "candidates": 2, "task_examples": 1},
    }
