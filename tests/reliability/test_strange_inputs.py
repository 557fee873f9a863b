"""Attacks on what came last: folders that `gpo init` writes into, judges and embedders that answer anything, exports of
a stranger's run."""

from __future__ import annotations

import ast
import json
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from gpo.cli.main import app
from gpo.errors import ModelError, TransientModelError
from gpo.export.formats import export
from gpo.model.model import Reply, Request
from gpo.model.openai.client import OpenAIClient
from gpo.model.openai.embeddings import EmbeddingModel, embed_with, pack
from gpo.run.embeddings import LateEmbedder
from gpo.storage.journal import Journal
from gpo.task.metrics.judge import Judge
from gpo.task.reading import Reading
from tests.export.support import material
from tests.reliability.support import configuration, write_rows
from tests.support.landscape import Landscape
from tests.support.server import ModelServer

ROWS = "text,queue\n" + "".join(f"words of number {i},{'new' if i % 2 else 'old'}\n" for i in range(60))
INIT = ("init", "rows.csv", "--yes", "--model", "m", "--base-url", "http://127.0.0.1:9/v1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text(ROWS)
    return tmp_path


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def test_init_follows_no_link_that_lies_in_the_folder(folder: Path) -> None:
    mine = folder / "mine"
    mine.write_text("precious")
    (folder / "gpo.schema.json").symlink_to(mine)
    assert invoke(*INIT).exit_code == 0
    assert mine.read_text() == "precious"
    assert not (folder / "gpo.schema.json").is_symlink()


def test_init_writes_no_configuration_where_a_link_would_lead(folder: Path) -> None:
    (folder / "gpo.yaml").symlink_to(folder / "nowhere")
    assert "gpo.yaml is there already" in str(invoke(*INIT).exception)
    assert not (folder / "nowhere").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_init_does_not_wait_for_a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "gpo.schema.json")
    worker = threading.Thread(target=invoke, args=INIT, daemon=True)
    worker.start()
    worker.join(20)
    assert not worker.is_alive()
    assert json.loads((folder / "gpo.schema.json").read_text())


def test_a_label_in_braces_is_no_placeholder_of_the_proposed_prompt(folder: Path) -> None:
    (folder / "rows.csv").write_text(ROWS.replace(",new", ",{text}"))
    assert invoke(*INIT).exit_code == 0
    written = yaml.safe_load((folder / "gpo.yaml").read_text())
    assert "{text}" in written["task"]["answer"]["labels"]
    assert "{" not in written["prompt"]


COLUMNS = (
    "q\nmodels: {task: evil}", "\x1b[2J", "=cmd|calc", "a" * 100_000, "\u202eevil", "{input}", ": - #", "\"'",
    "!!python/object:os.system", "%TAG ! x", "*anchor", "&a", "null", "~", "yes", "1e3",
)  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS, ids=range(len(COLUMNS)))
def test_no_name_of_a_column_and_no_label_writes_keys_of_its_own(folder: Path, column: str) -> None:
    rows = [{"text": f"words of number {i}", column: "x\nprompt: evil" if i % 2 else "no"} for i in range(60)]
    (folder / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    done = invoke("init", "rows.jsonl", *INIT[2:], "--input", "text", "--target", column)
    assert done.exit_code == 0, done.exception
    written = yaml.safe_load((folder / "gpo.yaml").read_text())
    assert set(written) == {"task", "prompt", "models", "method", "optimize", "evaluation", "seed"}
    assert (written["task"]["target"], written["models"]["task"]["model"]) == (column, "m")
    assert all(character.isprintable() or character == "\n" for character in done.stdout)


def test_no_verdict_takes_the_square_of_its_length_to_read() -> None:
    judge = Judge("grade it")
    for reply in ("\n" * 500_000, "*\n" * 300_000, "score\n" * 100_000, "Score: " + "1" * 300_000 + "x"):
        assert judge.read(reply) is None
    assert judge.read("Well.\n\n** Score:**\n\n8") == 8


def embedder(monkeypatch: pytest.MonkeyPatch, answer: Any) -> EmbeddingModel:
    client = OpenAIClient(base_url="http://127.0.0.1:9/v1", model="m")

    async def post_embedding(text: str) -> bytes:
        return json.dumps(answer).encode()

    monkeypatch.setattr(client, "post_embedding", post_embedding)
    return EmbeddingModel(client)


@pytest.mark.parametrize(
    "vector",
    [[10**400, 1], [float("nan"), 1], [float("inf"), 1], [0, 0], [1] * 70_000, [[1]], "AAAA", None, {}],
    ids=range(9),
)
async def test_what_is_no_vector_is_one_line(vector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TransientModelError, match="holds no vector"):
        await embed_with(embedder(monkeypatch, {"data": [{"embedding": vector}]}), "a text")


@pytest.mark.parametrize("usage", [[1], "many", {"prompt_tokens": "x"}, {"prompt_tokens": -1}, 3])
async def test_strange_usage_of_an_embedder_counts_nothing(
    usage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"data": [{"embedding": [3, 4]}], "usage": usage}
    assert await embed_with(embedder(monkeypatch, answer), "a text") == [0.6, 0.8]


async def test_vectors_of_two_lengths_are_one_line(tmp_path: Path) -> None:
    class Changing:
        identity = "here/changing"

        async def complete(self, request: Request) -> Reply:
            return Reply(texts=(pack([1.0] * (2 + len(request.prompt or ""))),))

        async def aclose(self) -> None: ...

    with Journal(tmp_path / "journal.sqlite") as journal:
        embed = LateEmbedder(journal, Changing())
        with pytest.raises(ModelError, match=r"vectors of 3 and of 4 numbers, which cannot be compared"):
            await embed(["a", "bb"])


EVIL = "https://evil.example/{{ env.SECRET }}/{% raw %}"


def test_nothing_of_a_strangers_run_is_a_template_of_promptfoo() -> None:
    found = material("Say it.")
    model = found.model.model_copy(update={"model": EVIL, "base_url": EVIL, "api_key_env": "{{env.A}}"})
    found = replace(found, model=model, name=EVIL)
    config = yaml.safe_load(export(found, "promptfoo"))
    for part in ("description", "providers", "tests"):
        rest = json.dumps(config[part]).replace("{{ '{' }}", "")
        assert "{{" not in rest
        assert "{%" not in rest


@pytest.mark.parametrize("name", ["inspect", "dspy", "langchain"])
def test_no_text_of_a_run_is_code_of_the_exported_file(name: str) -> None:
    mark = "__import__('os').system('echo pwned')"
    for text in (
        f'"""\n{mark}\n"""',
        f"'''\n{mark}",
        f"\\\n{mark}",
        f"{{{mark}}}",
        f"\r{mark}",
        f"\u2028{mark}",
    ):
        found = replace(material(f"Say it. {text}"), name=text, target=text)
        found = replace(found, reading=Reading("label", (text, "b"), "exact_match"))
        tree = ast.parse(export(found, name))
        named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert "__import__" not in named


def test_a_strangers_run_is_shown_and_exported_without_a_line_of_its_code(
    server: ModelServer, folder: Path
) -> None:
    run = finished_run(server, folder)
    for place in (run, folder):
        (place / "evil.py").write_text("raise SystemExit('the code of a run folder was run')")
    result = json.loads((run / "result.json").read_text())
    result["reading"]["metric"] = "evil:go"
    (run / "result.json").write_text(json.dumps(result))
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["task"]["metric"] = "evil:go"
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    for arguments in (
        ["report", str(run)],
        *(["export", str(run), "--to", to] for to in ("json", "dspy", "inspect")),
    ):
        done = invoke(*arguments)
        assert done.exit_code == 0, (arguments, done.exception, done.output)
        assert ("imports evil:go" in done.stderr) == (arguments[-1] in ("dspy", "inspect"))
    assert "evil" not in sys.modules


def finished_run(server: ModelServer, folder: Path) -> Path:
    server.answer = Landscape().answer
    write_rows(folder)
    small = {"epochs": 1, "batch_size": 6, "candidates": 1, "resamples": 0}
    found = configuration(server.base_url, folder, optimize=small)
    (folder / "gpo.yaml").write_text(yaml.safe_dump(found))
    done = invoke("optimize", "gpo.yaml", "--run-dir", "run")
    assert done.exit_code == 0, (done.exception, done.output)
    return folder / "run"
