"""A suite whose tasks are programs of several prompts: plan, table, a killed trial, and what is refused."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from gpo.errors import ConfigError
from gpo.suites.forecast.forecast import lines, plan
from gpo.suites.spec.grid import expand
from gpo.suites.spec.suite import load_suite
from tests.cli.gpo import MAIN
from tests.programs.support import answer, rows
from tests.programs.test_program_files import PROGRAM
from tests.suites.suites import bench
from tests.support import forked
from tests.support.server import ModelServer

PROMPTS = {"rewrite": "REWRITE the question", "answer": "ANSWER it"}
NUMBERED = """

def numbered(prompts, row):
    return "left" if len(prompts["rewrite"] + row["question"]) % 2 else "right"
"""


def write(folder: Path, base_url: str, **sections: Any) -> Path:
    """Two programs by one method and two seeds: one that calls the model, one that does its own work."""
    for name, part in rows().items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    (folder / "suite_calls.py").write_text(PROGRAM + NUMBERED)
    data = {split: f"{split}.jsonl" for split in rows()}
    task = {"data": data, "metric": "suite_calls:metric", "prompts": PROMPTS}
    model = {"model": "any", "base_url": base_url, "max_tokens": 40, "concurrency": 4}
    suite = {
        "tasks": [
            {**task, "label": "calls", "program": "suite_calls:run"},
            {**task, "label": "own", "program": "suite_calls:numbered", "identity": "n-1"},
        ],
        "models": {"land": {"task": model, "optimizer": model}},
        "methods": [{"label": "gpo", "trajectory": "recency"}],
        "seeds": 2,
        "base": {"prompt": "not this one", "optimize": {"epochs": 1, "batch_size": 3, "candidates": 2}},
        **sections,
    }
    (folder / "suite.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
    return folder / "suite.yaml"


@pytest.fixture
def programs(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    server.answer = answer
    monkeypatch.delitem(sys.modules, "suite_calls", raising=False)  # that of another test's folder
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
    return write(tmp_path, server.base_url)


def test_the_table_has_both_programs(programs: Path, server: ModelServer) -> None:
    table, results = bench(programs, programs.parent / "out")
    assert {result.status for result in results} == {"complete"}, results
    assert len(results) == 4
    assert [column[0] for column in table.columns] == ["calls", "own"]
    folders = {path.name for path in (programs.parent / "out").iterdir() if path.is_dir()}
    own = json.loads(
        (
            programs.parent / "out" / next(n for n in folders if n.startswith("own")) / "result.json"
        ).read_text()
    )
    assert own["best_prompts"].keys() == PROMPTS.keys()
    assert own["initial_prompts"] == PROMPTS
    # Run again nothing is asked; with another program it is another run.
    asked = server.stats.calls
    _, again = bench(programs, programs.parent / "out")
    assert not again
    assert server.stats.calls == asked
    code = programs.parent / "suite_calls.py"
    code.write_text(code.read_text() + "\n# changed\n")
    assert not folders & {trial.run_dir for trial in expand(load_suite(str(programs))).trials}


def test_the_plan_says_what_is_known(programs: Path, server: ModelServer) -> None:
    suite = load_suite(str(programs))
    planned = plan(suite, expand(suite))
    calls, own = planned.kinds
    assert (calls.runs, calls.steps, calls.dev, calls.calls, calls.tokens) == (2, (2, 2), (8, 8), None, None)
    # Of each run: the initial prompt and 2 × 2 candidates on 8 dev rows, and two prompts on 10 test rows.
    assert calls.program_runs == 2 * ((1 + 4) * 8 + 2 * 10)
    assert own.program_runs is None
    # The same number of runs, each a call, and the optimizer is asked once a step.
    assert own.calls == 2 * (60 + 2)
    assert planned.calls is None
    assert "note: programs are run about 120 times in all" in "\n".join(lines(planned))
    assert not server.stats.calls


@pytest.mark.slow
def test_a_killed_suite_asks_for_nothing_twice(programs: Path, server: ModelServer) -> None:
    whole, _ = bench(programs, programs.parent / "whole", only="calls-*")
    before = server.stats.calls
    environment = {**os.environ, "GPO_HOME": str(programs.parent / "other")}
    arguments = ("bench", programs, "--out", programs.parent / "killed", "--only", "calls-*")
    process = forked.start(MAIN, *arguments, cwd=programs.parent, env=environment)
    while server.stats.calls < before + 30:
        assert process.poll() is None, "it was over too soon"
        time.sleep(0.002)
    os.killpg(process.pid, 9)
    process.wait()
    again, results = bench(programs, programs.parent / "killed", only="calls-*")
    assert {result.status for result in results} == {"complete"}, results
    assert again == whole
    # What had left when it was killed may be asked once more: at most 4 calls of each role's at once.
    assert server.stats.calls - before <= before + 2 * 4


@pytest.mark.parametrize(
    ("sections", "line"),
    [
        (
            {"methods": ["cot"]},
            r"suite.yaml:\d+: methods: cot evaluates a prompt of its own, which is none of task.p",
        ),
        (
            {"methods": ["ape-original"]},
            r"methods: ape-original knows one prompt, and task.program .* has 2; use gpo",
        ),
        (
            {"budget": {"equal": True, "max_calls": 100}},
            r"suite.yaml:\d+: budget.equal: what a run of task.program suite_calls:run asks for is known once",
        ),
        ({"tasks": [{"data": "train.jsonl", "prompts": PROMPTS, "program": 3}]}, "task.program"),
    ],
)
def test_what_programs_cannot_have_is_a_line(programs: Path, sections: dict[str, Any], line: str) -> None:
    path = write(programs.parent, "http://127.0.0.1:9/v1", **sections)
    with pytest.raises(ConfigError, match=line) as caught:
        expand(load_suite(str(path)))
    assert "\n" not in str(caught.value)


def test_an_equal_budget_counts_a_program_of_its_own_by_its_runs(programs: Path, server: ModelServer) -> None:
    path = write(programs.parent, server.base_url, budget={"equal": True, "max_calls": 30}, seeds=1)
    data = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**data, "tasks": data["tasks"][1:]}))
    _, (result,) = bench(path, programs.parent / "equal")
    assert result.status == "complete", result
    told = json.loads((programs.parent / "equal" / result.run_dir / "result.json").read_text())
    # The initial prompt takes 8 calls, a step 2 × 8 and the optimizer's: one step fits.
    assert len(told["steps"]) == 1
