"""Each project of `examples/` as its page says, with a server in place of its models: it runs, and gets better."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml

import gpo
from gpo.cli.main import app
from tests.examples.scripts import EXAMPLES, SCRIPTS, answer
from tests.support.server import ModelServer


@pytest.fixture(params=SCRIPTS)
def example(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A copy of a project, in which the test runs; its modules are not kept for the next one."""
    name = str(request.param)
    shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=shutil.ignore_patterns("runs", "__pycache__"))
    monkeypatch.chdir(tmp_path / name)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def test_it_gets_better(example: str, server: ModelServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.answer = answer(SCRIPTS[example])
    told = yaml.safe_load(Path("gpo.yaml").read_text())
    changes = [f"models.{role}={{model: {role}, base_url: {server.base_url}}}" for role in told["models"]]
    # The order of a trajectory takes no embedder so; the sizes are a test's.
    planned = isinstance(told.get("method"), dict) and told["method"].get("name") == "gpo+"
    changes += ["method.budget=80"] if planned else ["method.trajectory=recency"]
    changes += ["optimize.candidates=2", "optimize.batch_size=2", "task.split={train: 4, dev: 5, test: 10}"]
    app(
        ["optimize", "--json", *(word for change in changes for word in ("--set", change))],
        standalone_mode=False,
    )
    result = gpo.Result.from_dict(json.loads(capsys.readouterr().out))
    assert result.status == "complete"
    assert result.improvement.verdict == "better"
    assert result.improvement.rows == 10
    assert "reply with only the answer" in result.best_prompt
    assert len(result.best_prompts) == len(told.get("prompts", [""]))


def test_the_sizes_are_those_of_the_data(example: str) -> None:
    told = yaml.safe_load(Path("gpo.yaml").read_text())["task"]
    rows = Path(told["data"]).read_text().splitlines()
    count = len(rows) - told["data"].endswith(".csv")
    assert sum(told["split"].values()) == count
    assert len(set(rows)) == len(rows)
    assert told["split"]["test"] >= 20


def test_the_page_names_commands_that_work_here(example: str) -> None:
    page = Path("README.md").read_text()
    assert f"cd examples/{example}\n" in page
    assert len(page.splitlines()) < 30
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page):
        assert (EXAMPLES / example / target).exists(), target


def test_every_project_is_listed() -> None:
    page = (EXAMPLES / "README.md").read_text()
    folders = {path.name for path in EXAMPLES.iterdir() if (path / "gpo.yaml").is_file()}
    assert folders == SCRIPTS.keys()
    assert all(f"({name}/README.md)" in page for name in folders)
