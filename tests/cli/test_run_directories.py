"""Where a run is kept that was given no directory: its name, the next free one, going on in the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from gpo.cli.main import app
from gpo.run.start.default_directory import default_name
from tests.support.landscape import Landscape
from tests.support.runs import config, write_task
from tests.support.server import ModelServer

LANDSCAPE = Landscape()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
    return tmp_path


def write(server: ModelServer, path: Path, **changes: Any) -> None:
    server.answer = LANDSCAPE.answer
    data = write_task(Path("data").absolute(), LANDSCAPE, train=8, dev=10, test=6)
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = config(server, data, method={"trajectory": "recency"}, optimize={"epochs": 1, "candidates": 2})
    path.write_text(yaml.safe_dump({**settings, **changes}))


def optimize(*arguments: str | Path) -> tuple[dict[str, Any], str]:
    """Result and stderr."""
    done = CliRunner().invoke(app, ["optimize", *map(str, arguments), "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    result: dict[str, Any] = json.loads(done.stdout)
    return result, done.stderr


def runs() -> list[str]:
    return sorted(path.name for path in Path("runs").iterdir())


def test_names(here: Path) -> None:
    assert default_name(Path("gpo.yaml")) == "gpo"
    assert default_name(Path("fast.yaml")) == "fast"
    assert default_name(Path("emails/gpo.yaml")) == "emails"
    assert default_name(Path("emails/fast.yaml")) == "emails-fast"
    assert default_name(here / "emails" / ".." / "fast.yaml") == "fast"
    assert default_name(Path("emails/gpo.yaml"), 20) == "emails-n20"


def test_another_configuration_gets_the_next_free_name_and_the_same_goes_on(
    server: ModelServer, here: Path
) -> None:
    write(server, Path("gpo.yaml"))
    first, told = optimize()
    assert runs() == ["gpo"]
    assert "--fork" not in told
    other, told = optimize("--set", "seed=1")
    assert runs() == ["gpo", "gpo-2"]
    (line,) = [line for line in told.splitlines() if "--fork" in line]
    assert line.startswith("runs/gpo holds a run of another configuration (it differs in ")
    assert "seed (was 0, now 1)" in line
    assert "this one is kept in runs/gpo-2; --run-dir DIR" in line
    assert "--fork runs/gpo uses" in line
    calls = server.stats.calls
    assert optimize()[0] == first
    again, told = optimize("--set", "seed=1")
    assert again == other
    assert "goes on with the run in runs/gpo-2" in told
    assert server.stats.calls == calls
    optimize("--set", "seed=2")
    assert runs() == ["gpo", "gpo-2", "gpo-3"]
    # What may change between a run and its continuation makes no other run.
    optimize("--set", "models.task.concurrency=3")
    assert runs() == ["gpo", "gpo-2", "gpo-3"]


def test_a_run_is_found_again_when_the_first_name_is_free_again(server: ModelServer, here: Path) -> None:
    write(server, Path("gpo.yaml"))
    optimize()
    other, _ = optimize("--set", "seed=1")
    (here / "runs" / "gpo").rename(here / "gone")
    assert optimize("--set", "seed=1")[0] == other
    assert runs() == ["gpo-2"]


def test_two_projects_do_not_meet(server: ModelServer, here: Path) -> None:
    write(server, Path("emails/gpo.yaml"))
    write(server, Path("chats/gpo.yaml"), seed=1)
    optimize("emails/gpo.yaml")
    optimize("chats/gpo.yaml")
    assert runs() == ["chats", "emails"]


def test_a_run_under_the_name_of_an_earlier_version_goes_on(server: ModelServer, here: Path) -> None:
    write(server, Path("emails/gpo.yaml"))
    first, _ = optimize("emails/gpo.yaml", "--run-dir", "runs/gpo")
    calls = server.stats.calls
    again, told = optimize("emails/gpo.yaml")
    assert again == first
    assert server.stats.calls == calls
    assert "goes on with the run in runs/gpo" in told
    assert runs() == ["gpo"]


def test_a_folder_of_something_else_is_left_alone(server: ModelServer, here: Path) -> None:
    write(server, Path("gpo.yaml"))
    (here / "runs" / "gpo").mkdir(parents=True)
    (here / "runs" / "gpo" / "notes.txt").write_text("mine")
    (here / "runs" / "gpo-2").write_text("a file")
    _, told = optimize()
    assert "runs/gpo holds something else, so this one is kept in runs/gpo-3" in told
    assert (here / "runs" / "gpo" / "notes.txt").read_text() == "mine"
