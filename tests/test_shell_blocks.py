"""The commands of the README and of the site, run one after the other in a project, against an endpoint on loopback.

What cannot run here stands by name in tests/support/pages.py; a command that is neither run nor listed is a failure.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gpo.cli.main import app
from gpo.task import benchmarks
from tests.suites.suites import write_suite
from tests.support.embedding import open_lengths
from tests.support.pages import COMMANDS_NOT_RUN, PROJECTS, blocks, not_run, shell_lines
from tests.support.server import ModelServer, all_text
from tests.support.tables import tickets, write_csv

SHELL = [block for block in blocks("", "sh") if not block.page.startswith(PROJECTS)]
SLOW = "gpo bench my-suite.yaml"
"""Starts four processes: only with the slow tests."""
WEIGHTS, ENDPOINT = "local/qwen2.5-coder-1.5b", "openai/gpt-4o-mini"
BETTER = "Name the queue that this message belongs to."
ROWS = tickets(40)
QUEUES = {row["message"]: row["queue"] for row in ROWS}


def reply(body: dict[str, Any]) -> str:
    """A better prompt; the right queue under it, and under any other for every second message."""
    text = all_text(body)
    if "<START>" in text:
        return f"<START>{BETTER} Think of case {body.get('seed', 0) % 97}.<END>"
    queue = next((queue for message, queue in QUEUES.items() if message in text), "refund")
    return queue if BETTER in text or len(text) % 2 else "none"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A folder with the files that the pages name, and the endpoint that stands for every provider."""
    with ModelServer(answer=reply) as server:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        monkeypatch.setenv("MY_KEY", "none")
        write_csv(tmp_path / "tickets.csv", ROWS)
        write_suite(tmp_path, server.base_url, "my-suite.yaml", methods=["cot"], seeds=1)
        for task in benchmarks.expand("bbh-lite"):
            for split in ("train", "dev", "test"):
                (tmp_path / "data" / task).mkdir(parents=True, exist_ok=True)
                rows = [
                    {
                        "input": f"{split} {number}",
                        "target": "(A)" if "movie" in task else "1" if "count" in task else "Yes",
                    }
                    for number in range(8)
                ]
                (tmp_path / "data" / task / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        for name in ("best_prompt.txt", "prompt_in_use.txt"):
            (tmp_path / name).write_text(BETTER)
        yield server


def to_run() -> list[str]:
    """The commands of all pages in their order, the README's first: it makes what the others use."""
    return [line for block in SHELL for line in shell_lines(block) if not not_run(line)]


def test_every_command_is_run_or_listed_with_a_reason() -> None:
    lines = [line for block in SHELL for line in shell_lines(block)]
    assert len(to_run()) > 15
    strange = [line for line in lines if not line.startswith("gpo ") and not not_run(line)]
    assert not strange, "neither a command of GPO nor in COMMANDS_NOT_RUN"
    unused = [start for start in COMMANDS_NOT_RUN if not any(line.startswith(start) for line in lines)]
    assert not unused, "listed in COMMANDS_NOT_RUN, but on no page"


def test_the_commands_of_the_pages_run(
    project: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpo.model.address.OPENAI", project.base_url)
    monkeypatch.setattr("gpo.model.embedder.open_embedder", open_lengths)
    for line in to_run():
        if line.startswith(SLOW):
            continue
        words = shlex.split(line.replace("http://localhost:8000/v1", project.base_url), comments=True)
        done = CliRunner().invoke(app, words[1:])
        assert done.exit_code == 0, (line, done.exception, done.output)
        # Weights of 1 GB are no part of a test: an endpoint answers in their place.
        for written in tmp_path.rglob("gpo.yaml"):
            written.write_text(written.read_text().replace(WEIGHTS, ENDPOINT))
    assert project.stats.calls > 100


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_commands_of_the_pages_run_in_a_shell(project: ModelServer, tmp_path: Path) -> None:
    """As they stand, by bash, each in a process of its own."""
    command = tmp_path / "bin" / "gpo"
    command.parent.mkdir()
    command.write_text(
        f"#!{sys.executable} -P\n"
        "import gpo.model.address\n"
        f"gpo.model.address.OPENAI = {project.base_url!r}\n"
        "from gpo.cli.main import main\nif __name__ == '__main__':\n    main()\n"
    )
    command.chmod(0o755)
    swap = f"\nfind . -name gpo.yaml -exec sed -i s,{WEIGHTS},{ENDPOINT}, {{}} +\n"
    script = swap.join(to_run()).replace("http://localhost:8000/v1", project.base_url)
    # Each command is a process: where byte code is not kept, most of the time goes into compiling the same files again.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPYCACHEPREFIX": str(tmp_path / "bytecode"),
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-x", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
