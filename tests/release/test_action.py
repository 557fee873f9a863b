"""The steps of action.yml and of the example workflow, run as a runner does: exit 0 and 1, outputs and summary."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.release.github import fill, read_outputs, run_step
from tests.support.landscape import Landscape
from tests.support.runs import config, write_task
from tests.support.server import ModelServer

ROOT = Path(__file__).resolve().parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
EXAMPLE: dict[str, Any] = yaml.safe_load((ROOT / "examples/ci/check-prompt.yml").read_text())
LANDSCAPE = Landscape()


def by_prompt(body: dict[str, Any]) -> str:
    """Right wherever the prompt is the good one, wrong elsewhere."""
    text = str(body["messages"])
    right = next(row["target"] for row in LANDSCAPE.rows(48) if row["input"] in text)
    return right if "good" in text else {"left": "right", "right": "left"}[right]


@dataclass
class Runner:
    """A checkout with gpo.yaml and prompts, and GPO where the action installs it."""

    checkout: Path
    temp: Path

    def evaluate(self, **inputs: str) -> subprocess.CompletedProcess[str]:
        """The last step of the action with these inputs; the others have their defaults."""
        values = {f"inputs.{name}": str(told.get("default", "")) for name, told in ACTION["inputs"].items()}
        values |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
        (step,) = [step for step in ACTION["runs"]["steps"] if step.get("id") == "evaluate"]
        return run_step(step, values, cwd=self.checkout, temp=self.temp)


@pytest.fixture
def runner(server: ModelServer, tmp_path: Path) -> Runner:
    server.answer = by_prompt
    checkout, temp = tmp_path / "checkout", tmp_path / "temp"
    write_task(checkout / "data", LANDSCAPE)
    (checkout / "gpo.yaml").write_text(json.dumps(config(server, Path("data"))))
    (checkout / "good.txt").write_text("a good prompt\n")
    binary = temp / "gpo" / "bin"
    binary.mkdir(parents=True)
    python = shlex.quote(sys.executable)
    command = "from gpo.cli.main import main; main()"
    (binary / "gpo").write_text(f'#!/bin/sh\nexec {python} -c "{command}" "$@"\n')
    (binary / "python").write_text(f'#!/bin/sh\nexec {python} "$@"\n')
    for name in ("gpo", "python"):
        (binary / name).chmod(0o755)
    return Runner(checkout, temp)


def test_a_prompt_that_is_no_worse_passes(runner: Runner) -> None:
    done = runner.evaluate(
        prompt="good 'quoted' $(touch made) prompt", not_worse_than="bad", fail_under="0.9"
    )
    assert done.returncode == 0, done.stderr
    outputs = read_outputs(runner.temp)
    assert (outputs["score"], outputs["verdict"]) == ("1.0", "better")
    assert json.loads(Path(outputs["json"]).read_text())["score"] == 1
    summary = (runner.temp / "summary").read_text()
    assert summary.startswith("**100.0** (95 % interval")
    assert "**better**, +100.0 points" in summary
    assert not (runner.checkout / "made").exists()


@pytest.mark.slow
def test_a_score_under_the_threshold_fails(runner: Runner) -> None:
    done = runner.evaluate(prompt="bad", fail_under="0.5", split="dev", rows="6")
    assert done.returncode == 1
    assert "--fail-under: the score on dev is 0, under 0.5" in done.stderr
    assert read_outputs(runner.temp)["verdict"] == ""


@pytest.mark.slow
def test_bad_input_is_the_line_and_the_code_of_the_command(runner: Runner) -> None:
    done = runner.evaluate(prompt="bad", config="--gone.yaml")
    assert done.returncode == 2
    assert "--gone.yaml" in done.stderr
    assert read_outputs(runner.temp) == {}


def test_the_example_workflow_fails_where_the_prompt_got_worse(runner: Runner) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *who, *arguments], cwd=runner.checkout, check=True, capture_output=True)

    prompt = runner.checkout / "prompts" / "tickets.txt"
    prompt.parent.mkdir()
    prompt.write_text("good\n")
    git("init", "--quiet")
    git("add", "prompts")
    git("commit", "--quiet", "-m", "in use")
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    prompt.write_text("bad\n")
    _, before, check = EXAMPLE["jobs"]["check"]["steps"]
    done = run_step(before, {"github.base_ref": "main"}, cwd=runner.checkout, temp=runner.temp)
    assert done.returncode == 0, done.stderr
    inputs = {name.replace("-", "_"): value for name, value in check["with"].items()}
    done = runner.evaluate(**{**inputs, "fail_under": ""})
    assert done.returncode == 1
    assert "--not-worse-than: the prompt is worse, -100.0 points over 20 rows" in done.stderr
    assert read_outputs(runner.temp)["verdict"] == "worse"
    assert "**worse**" in (runner.temp / "summary").read_text()


def test_inputs_and_outputs_are_those_of_the_steps() -> None:
    text = (ROOT / "action.yml").read_text()
    for name in ACTION["inputs"]:
        assert f"${{{{ inputs.{name} }}}}" in text, f"{name} is not used"
    assert set(EXAMPLE["jobs"]["check"]["steps"][-1]["with"]) <= ACTION["inputs"].keys()
    for name, told in ACTION["outputs"].items():
        assert fill(told["value"], {f"steps.evaluate.outputs.{name}": "x"}) == "x"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_action_installs_itself_and_runs(runner: Runner) -> None:
    """With the first step too: pip, from the package index."""
    for name in ("gpo", "python"):
        (runner.temp / "gpo" / "bin" / name).unlink()
    (step,) = [step for step in ACTION["runs"]["steps"] if step.get("name") == "Install GPO"]
    values = {"github.action_path": str(ROOT), "inputs.install": ""}
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = run_step(step, values, cwd=runner.checkout, temp=runner.temp, env={"PATH": path})
    assert done.returncode == 0, done.stderr
    assert runner.evaluate(prompt="good", not_worse_than="bad").returncode == 0
    assert runner.evaluate(prompt="bad", not_worse_than="good").returncode == 1
