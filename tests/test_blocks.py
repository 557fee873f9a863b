"""The code blocks of the README and of the site: configurations are valid, commands exist, Python runs.

A block that cannot run here has the reason before it, in a comment: `<!-- not run: why -->`.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from gpo.cli.main import app
from gpo.config.load import parse_config
from tests.support.server import ModelServer

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md")]
PAGES += sorted((ROOT / "docs").glob("*.md")) + sorted((ROOT / "examples").rglob("README.md"))
MOST_NOT_RUN = 40
"""Blocks with a reason not to run. One more is a decision, made here."""


@dataclass(frozen=True)
class Block:
    """`why` it is not run, "" where it is."""

    page: str
    line: int
    language: str
    text: str
    why: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> Iterator[Block]:
    pattern = re.compile(
        r"(?:^<!-- not run: ([^\n]+?) -->\n\n?)?^( *)```([\w+-]*)[^\n]*\n(.*?)^ *```$",
        re.MULTILINE | re.DOTALL,
    )
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start(2)) + 1
            yield Block(page.name, line, match[3], match[4], match[1] or "")


ALL = list(blocks())


def of(*languages: str) -> pytest.MarkDecorator:
    found = [block for block in ALL if block.language in languages and not block.why]
    return pytest.mark.parametrize("block", found, ids=str)


def test_what_is_not_run_is_counted() -> None:
    assert len(ALL) > 40
    assert sum(bool(block.why) for block in ALL) <= MOST_NOT_RUN
    known = {"", "text", "sh", "yaml", "json", "python", "toml", "mermaid"}
    assert {block.language for block in ALL} <= known, "a language that nothing here runs"


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


@of("toml")
def test_toml_can_be_read(block: Block) -> None:
    tomllib.loads(block.text)


COMMAND = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:(?:python3 -m )?uv run (?:--[\w-]+ \w+ )*)?(gpo .*)$")


def commands(block: Block) -> list[list[str]]:
    text = block.text.replace("\\\n", " ")
    found = [match[1] for line in text.splitlines() if (match := COMMAND.match(line.strip()))]
    return [shlex.split(re.split(r" [|>&]+ | ;", line)[0], comments=True)[1:] for line in found]


@pytest.mark.parametrize(
    "block", [block for block in ALL if block.language in ("", "sh", "text") and commands(block)], ids=str
)
def test_a_command_exists_and_takes_its_arguments(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in commands(block):
        command: Any = get_command(app)
        context: Any = command.make_context("gpo", list(arguments), resilient_parsing=True)
        rest = list(arguments)
        while hasattr(command, "commands") and rest:
            assert rest[0] in command.commands, f"gpo {' '.join(arguments)}: no such command"
            command, rest = command.commands[rest[0]], rest[1:]
            for word in rest:
                if (tmp_path / word).suffix and not word.startswith("-") and "/" not in word[:1]:
                    (tmp_path / word).parent.mkdir(parents=True, exist_ok=True)
                    (tmp_path / word).touch()
            if not hasattr(command, "commands"):
                command.make_context("x", list(rest), parent=context)


class Lengths:
    """An embedder that is there at once."""

    name = "lengths"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [[1.0 / (1 + len(text)), 1.0] for text in texts]


async def open_lengths(prefer: str | None = None) -> Lengths:
    return Lengths()


@of("python")
def test_python_runs(
    block: Block, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder with tickets.csv, with the models of `openai/…` on loopback."""
    server.answer = lambda body: (
        "<START>Which queue is it for? Billing or delivery?</END>" if "<START>" in str(body) else "billing"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gpo.model.factory.OPENAI", server.base_url)
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
    exec(compile(text, str(block), "exec"), {"__name__": "__main__"})
    assert os.listdir(tmp_path)
