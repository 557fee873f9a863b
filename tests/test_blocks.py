"""The code blocks of the README and of the site: configurations are valid, options exist, Python runs.

Shell commands are run by tests/test_shell_blocks.py. What cannot run here stands by name in tests/support/pages.py.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

import gpo
from gpo.cli.main import app
from gpo.config.load import parse_config
from tests.support.embedding import open_lengths
from tests.support.pages import BLOCKS_NOT_RUN, PAGES, ROOT, Block, blocks
from tests.support.server import ModelServer

LANGUAGES = {"", "text", "sh", "yaml", "json", "python", "toml", "mermaid"}


def is_run(block: Block) -> bool:
    """Whether nothing in `BLOCKS_NOT_RUN` names it, and it is no piece of the source."""
    named = any(block.page == page and text in block.text for page, text in BLOCKS_NOT_RUN)
    return not named and not block.text.endswith(": ...\n")


def of(*languages: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", [block for block in blocks(*languages) if is_run(block)], ids=str)


def test_every_block_is_of_a_language_that_is_run_here() -> None:
    assert len(blocks()) > 60
    assert {block.language for block in blocks()} <= LANGUAGES
    stale = [
        key
        for key in BLOCKS_NOT_RUN
        if not any(block.page == key[0] and key[1] in block.text for block in blocks())
    ]
    assert not stale, "listed in BLOCKS_NOT_RUN, but on no page"


def test_a_piece_of_the_source_is_still_there() -> None:
    """Protocols that a page shows: each line of one stands in the source, with its docstring in between."""
    pieces = [block for block in blocks("python") if block.text.endswith(": ...\n")]
    source = "\n".join(path.read_text() for path in (ROOT / "src" / "gpo" / "optimizer").rglob("*.py"))
    for block in pieces:
        for line in block.text.splitlines():
            assert line.removesuffix(" ...") in source, f"{block}: {line}"
    assert len(pieces) >= 3


def complete(part: Mapping[str, Any]) -> dict[str, Any]:
    """A part of a configuration with the rest around it."""
    model = {"model": "openai/gpt-4o-mini"}
    models = {"task": model, "optimizer": model, **part.get("models", {})}
    return {**part, "task": {"data": "gpo/tickets", **part.get("task", {})}, "models": models}


@of("yaml")
def test_a_configuration_is_valid(block: Block) -> None:
    parse_config(complete(yaml.safe_load(block.text)))


@of("json")
def test_json_can_be_read(block: Block) -> None:
    json.loads(block.text)


INLINE = re.compile(r"`(gpo [a-z][^`\n]*)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_in_a_sentence_exists_and_has_its_options(page: Path) -> None:
    """What stands for a value (CONFIG, DIR, N) is taken as it is."""
    text = re.sub(r"^( *)```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for match in INLINE.finditer(text):
        words = shlex.split(match[1], comments=True)[1:]
        command: Any = get_command(app)
        while hasattr(command, "commands") and words and words[0] in command.commands:
            command, words = command.commands[words[0]], words[1:]
        assert command.name != "gpo", f"{match[1]}: no such command"
        known = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
        for word in words:
            assert not word.startswith("-") or word.split("=")[0] in known, f"{match[1]}: no option {word}"


@of("python")
def test_python_runs(
    block: Block, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder with tickets.csv, with the models of `openai/…` on loopback."""
    server.answer = lambda body: (
        "<START>Which queue is it for? Billing or delivery?</END>" if "<START>" in str(body) else "billing"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gpo.model.address.OPENAI", server.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setattr("gpo.model.embedder.open_embedder", open_lengths)
    with Path("tickets.csv").open("w", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["subject", "body", "queue"])
        for number in range(60):
            queue = ("billing", "delivery")[number % 2]
            writer.writerow([f"Ticket {number}", f"This is about {queue} number {number}", queue])
    # Weights of 1 GB are no part of a test: an endpoint answers in their place.
    text = block.text.replace("local/qwen2.5-coder-1.5b", "openai/gpt-4o-mini")
    names: dict[str, Any] = {"__name__": "__main__"}
    if "task =" not in text:  # a page goes on from the quickstart
        names["task"] = gpo.Task.from_csv(
            "tickets.csv", input="{subject}\n{body}", target="queue", answer={"kind": "label"}
        )
    exec(compile(text, str(block), "exec"), names)
    assert os.listdir(tmp_path)
