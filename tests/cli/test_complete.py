"""A complete run asked again: shown at once, nothing is loaded that only a run needs, and another one is none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.gpo import gpo
from tests.support.landscape import Landscape
from tests.support.runs import config, write_task
from tests.support.server import ModelServer

LANDSCAPE = Landscape()
_HEAVY = ("aiohttp", "httptools", "jinja2", "numpy", "rich", "rapidfuzz", "gpo.optimizer", "gpo.model.openai")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `gpo.yaml` and its complete run; nobody answers at its endpoint any more."""
    folder = tmp_path_factory.mktemp("complete")
    with ModelServer(answer=LANDSCAPE.answer) as server:
        settings = config(server, write_task(folder / "data", LANDSCAPE), optimize={"epochs": 1})
        settings["task"]["data"] = "data"
        settings["models"]["task"]["api_key_env"] = "GPO_TEST_KEY"
        (folder / "gpo.yaml").write_text(yaml.safe_dump(settings))
        done = gpo("optimize", "gpo.yaml", "--json", cwd=folder, env={"GPO_TEST_KEY": "sk-test-1234567890"})
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def complete(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(made, tmp_path / "copy")


def test_it_is_shown_again_without_a_key_and_without_what_a_run_needs(complete: Path) -> None:
    code = (
        "import sys\nfrom gpo.cli.main import main\n"
        f"try: main()\nfinally: print(*[name for name in {_HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "optimize", "gpo.yaml", "--json"]
    environment = {name: value for name, value in os.environ.items() if name != "GPO_TEST_KEY"}
    again = subprocess.run(command, cwd=complete, env=environment, capture_output=True, text=True, timeout=60)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout) == json.loads((complete / "runs" / "gpo" / "result.json").read_text())
    said, loaded = again.stderr.splitlines()
    assert "nothing is left to do" in said
    assert loaded == "", "loaded, though no call is made"


def test_a_person_sees_the_result_and_a_lost_page_comes_back(complete: Path) -> None:
    page = complete / "runs" / "gpo" / "report.html"
    page.unlink()
    again = gpo("optimize", "gpo.yaml", cwd=complete)
    assert again.returncode == 0, again.stderr
    assert page.exists()
    assert json.loads((page.parent / "result.json").read_text())["best_prompt"] in again.stdout


def test_another_one_is_not_taken_for_it(complete: Path) -> None:
    path = next((complete / "data").glob("*test*"))
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    again = gpo("optimize", "gpo.yaml", "--json", "--run-dir", "runs/gpo", cwd=complete)
    assert (again.returncode, again.stdout) == (1, "")
    (line,) = again.stderr.splitlines()
    assert "data_digest" in line


def test_a_damaged_result_is_not_shown(complete: Path) -> None:
    (complete / "runs" / "gpo" / "result.json").write_text("{")
    again = gpo("optimize", "gpo.yaml", "--json", cwd=complete)
    assert (again.returncode, again.stdout) == (1, "")
    assert "result.json" in again.stderr
