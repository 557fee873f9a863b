"""Untrusted text through whole runs: what models and datasets say changes no terminal, no file name and no template."""

from __future__ import annotations

import io
import json
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gpo.optimizer.candidates import Guard
from gpo.report.terminal import show
from gpo.run.directory import RunDirectory
from gpo.run.optimize import Run
from gpo.run.watcher import Watcher
from gpo.storage.journal_reader import JournalReader
from tests.support.server import ModelServer, all_text

from .support import landscape_server, plan, run

NASTY = [
    "\x1b[2J\x1b]0;owned\x07 clear",
    "nul \x00 inside",
    "lone \ud800 surrogate \udfff here",
    "right \u202e to \u2066 left",
    "x" * 1_000_000,
    "braces {} {0} {input.__class__} {{x}} and %s %(a)s %n",
    "<script>alert(1)</script></style>",
    "../../../etc/passwd",
    "{{ 7 * 7 }} {% for x in y %}",
    "'; DROP TABLE calls; --",
]


def nasty(body: dict[str, Any]) -> str:
    seed = int(body.get("seed") or 0)
    digest = blake2b(f"{seed} {all_text(body)}".encode("utf-8", "surrogatepass"), digest_size=2).digest()
    text = NASTY[int.from_bytes(digest) % len(NASTY)]
    return f"<START>Think {seed % 97}: {text}<END>" if "<START>" in all_text(body) else f"left {text}"


async def test_a_run_with_nasty_models_ends_and_says_nothing_harmful(tmp_path: Path) -> None:
    notes: list[str] = []

    class Noting(Watcher):
        def note(self, line: str) -> None:
            notes.append(line)

        def step_finished(self, record: Any) -> None: ...

    with ModelServer(answer=nasty, keep_log=False) as server:
        made = plan(server, tmp_path, model={"max_tokens": 2_000_000})
        result = await Run(
            made, RunDirectory(tmp_path / "run"), watcher=Noting(), use_shared_store=False
        ).execute()
        again = await run(server, tmp_path, model={"max_tokens": 2_000_000})
    assert again.to_dict() == result.to_dict()
    out = io.StringIO()
    show(result, Console(file=out, width=100))
    assert not {"\x1b", "\x00", "\u202e", "\x07"} & set(out.getvalue())
    assert {path.name for path in (tmp_path / "run").iterdir()} <= {
        "config.yaml", "journal.sqlite", "result.json", "best_prompt.txt", "best_template.json", ".lock",
    }  # fmt: skip
    saved = (tmp_path / "run" / "result.json").read_text(encoding="utf-8")
    assert json.loads(saved)["status"] == "complete"
    with JournalReader(tmp_path / "run" / "journal.sqlite") as journal:
        assert any("\x1b[2J" in text for call in journal.calls() for text in call.reply.texts)


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
async def test_nasty_rows_and_prompts(text: str, tmp_path: Path) -> None:
    shown = text[:50_000]
    for split, count in (("train", 4), ("dev", 3), ("test", 3)):
        rows = [{"input": f"{shown} {split} {i}?", "target": "left"} for i in range(count)]
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with landscape_server() as server:
        # Of such rows the landscape's task model gives no label.
        one = {"epochs": 1, "batch_size": 4, "candidates": 2, "resamples": 0, "keep_going": True}
        result = await run(server, tmp_path, prompt=f"Answer. {shown}", optimize=one)
        asked = [all_text(body) for body in server.bodies()]
    assert result.status == "complete"
    assert result.initial_prompt == f"Answer. {shown}"
    # The wire is UTF-8, which holds no lone surrogates: the client writes a replacement character for each.
    sent = shown.strip().encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert any(sent in question for question in asked)


@pytest.mark.parametrize("name", ["../outside", "a/../../b"])
def test_a_dataset_cannot_be_pickled_code(name: str, tmp_path: Path) -> None:
    import pickle

    from gpo.errors import ConfigError
    from gpo.task.task import Task

    path = tmp_path / "data.pkl"
    path.write_bytes(pickle.dumps({"input": name}))
    with pytest.raises(ConfigError):
        Task.from_csv(path)


def test_frozen_parts_and_invented_placeholders() -> None:
    guard = Guard(
        initial="Use {question}. Reply in JSON.", required=["question"], columns=frozenset({"question", "hint"}),
        frozen=["Reply in JSON."],
    )  # fmt: skip
    assert guard.reason("Think about {question} first. Reply in JSON.") is None
    assert guard.reason("Think about {question} and {hint}. Reply in JSON.") is None
    assert guard.reason("Think about {question}. Reply in  JSON.") == "changes a frozen part: Reply in JSON."
    assert guard.reason("{question} {answer} Reply in JSON.") == "invents the placeholder {answer}"
    assert guard.reason("No slot. Reply in JSON.") == "drops the placeholder {question}"


async def test_a_frozen_part_outlives_a_run_and_must_be_in_the_prompt(tmp_path: Path) -> None:
    from gpo.errors import ConfigError

    from .support import PROMPT

    sizes = {"epochs": 1, "batch_size": 3, "candidates": 3, "resamples": 1}
    with landscape_server() as server:
        result = await run(server, tmp_path, optimize={**sizes, "frozen": ["about it"]})
        assert all("about it" in step["prompt"] for step in result.steps)
        # The optimizer is told, on a line of its own; a part is inserted as it is and never read as a template.
        asked = [all_text(body) for body in server.bodies() if "<START>" in all_text(body)]
        assert asked
        assert all("word for word" in text and "\nabout it\n" in text for text in asked)
        assert PROMPT.endswith("about it")
        with pytest.raises(ConfigError, match=r"optimize\.frozen"):
            plan(server, tmp_path, optimize={**sizes, "frozen": ["nowhere"]})


SECRETS = (b"alicealice", b"hunter2secret", b"QUERYSECRET")


def with_secrets(base_url: str, password: str = "hunter2secret", version: int = 1) -> str:
    url = base_url.replace("http://", f"http://alicealice:{password}@")
    return f"{url}?api-version={version}&api-key=QUERYSECRET"


def written(folder: Path) -> bytes:
    """All that a run wrote."""
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_what_an_address_holds_of_secrets_is_sent_and_written_nowhere(tmp_path: Path) -> None:
    from gpo.errors import RunError

    folder = tmp_path / "run"
    with landscape_server() as server:
        result = await run(with_secrets(server.base_url), tmp_path)
        assert server.log[0].headers["Authorization"].startswith("Basic ")
        calls = server.stats.calls
        assert not [secret for secret in SECRETS if secret in written(folder)]
        shown = server.base_url.replace("http://", "http://***@") + "?api-version=1&api-key=***"
        assert shown.encode() in (folder / "config.yaml").read_bytes()
        # It is the same run, under another password too; another version of the interface makes another one.
        again = await run(with_secrets(server.base_url, "changed"), tmp_path)
        assert (again.to_dict(), server.stats.calls) == (result.to_dict(), calls)
        with pytest.raises(RunError, match=r"models\.task\.base_url") as caught:
            await run(with_secrets(server.base_url, version=2), tmp_path)
    assert not [secret for secret in SECRETS if secret in str(caught.value).encode()]


async def test_failures_are_written_down_without_the_secrets_of_an_address(tmp_path: Path) -> None:
    import asyncio

    from gpo.errors import ModelError

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"NONSENSE hunter2secret QUERYSECRET\r\n\r\n")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with listening:
        base_url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
        with pytest.raises(ModelError) as caught:
            await run(with_secrets(base_url), tmp_path, model={"retries": 1, "concurrency": 1})
    assert "failed (no HTTP reply: " in str(caught.value)
    assert not [secret for secret in SECRETS if secret in str(caught.value).encode()]
    assert b"failed (no HTTP reply: " in written(tmp_path / "run")
    assert not [secret for secret in SECRETS if secret in written(tmp_path / "run")]
