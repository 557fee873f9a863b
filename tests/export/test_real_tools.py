"""Exported prompts in the tools themselves: on the rows of the run they score what its result says.

Run them with `uv run --with-requirements tests/export/requirements.txt pytest -m exports`; promptfoo is found on the
PATH or by $GPO_PROMPTFOO (`npm install promptfoo`).
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import gpo
from gpo.export.formats import export
from gpo.export.material import read_material
from tests.support.landscape import Landscape
from tests.support.server import ModelServer

pytestmark = [pytest.mark.exports, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]

LANDSCAPE = Landscape()
PROMPT = 'Look {closely} at {{ input }}, {% raw %} and "say" \'left\' or ${right}:\n  {"answer": "…"} \\ größe 東京'
KEY = "no-key-is-needed"


@pytest.fixture(autouse=True)
def what_the_tools_leave_open() -> Iterator[None]:
    """Is collected within the test, where the streams that Inspect does not close are warnings and no errors."""
    yield
    gc.collect()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A server that answers the runs and the tools alike."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ModelServer(answer=LANDSCAPE.answer) as server:
        yield server


def finished(
    server: ModelServer, folder: Path, **task: Any
) -> tuple[Path, list[dict[str, Any]], float, list[Any]]:
    """A run directory, its test rows, the best prompt's test score, and the messages that it was asked with."""
    rows = {"train": LANDSCAPE.rows(6, 0), "dev": LANDSCAPE.rows(8, 6), "test": LANDSCAPE.rows(24, 14)}
    made = gpo.Task.from_rows(rows, **{"answer": {"kind": "label", "labels": ["left", "right"]}, **task})
    result = gpo.optimize(
        made,
        prompt=PROMPT,
        models={"model": "task", "base_url": server.base_url, "max_tokens": 20},
        method={"trajectory": "none"},
        optimize={"epochs": 1, "batch_size": 6, "candidates": 2, "resamples": 0},
        run_dir=folder / "run",
    )
    assert result.scores.best.test is not None
    assert 0 < result.scores.best.test < 1, "a score that a wrong prompt would not have too"
    sent = sorted(json.dumps(result.messages(row)) for row in rows["test"])
    return folder / "run", rows["test"], result.scores.best.test, sent


def first_turns(server: ModelServer, since: int) -> list[str]:
    """The messages of the calls that came after the first `since`, in an order of their own; no second rounds."""
    found = [body["messages"] for body in server.bodies()[since:]]
    return sorted(
        json.dumps([{"role": turn["role"], "content": turn["content"]} for turn in messages])
        for messages in found
        if messages[-2:-1] == [] or messages[-2]["role"] != "assistant" or len(messages) > 3
    )


@pytest.mark.parametrize("rounds", [1, 2])
def test_inspect(rounds: int, asked: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inspect_ai = pytest.importorskip("inspect_ai")
    answer = {"kind": "label", "labels": ["left", "right"], "rounds": rounds}
    run, rows, score, sent = finished(asked, tmp_path, answer=answer)
    (tmp_path / "best.py").write_text(export(read_material(run), "inspect"))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = len(asked.bodies())
    monkeypatch.setenv("OPENAI_BASE_URL", asked.base_url)
    monkeypatch.chdir(tmp_path)
    (log,) = inspect_ai.eval(
        "best.py",
        task_args={"rows": str(tmp_path / "rows.jsonl")},
        model="openai/task",
        model_base_url=asked.base_url,
        model_args={"responses_api": False},
        display="none",
        log_dir=str(tmp_path / "logs"),
    )
    assert log.status == "success", log.error
    assert log.results.scores[0].metrics["mean"].value == pytest.approx(score)
    assert set(first_turns(asked, before)) >= set(sent)
    assert len(asked.bodies()) - before == rounds * len(rows)


@pytest.mark.parametrize("rounds", [1, 2])
def test_dspy(rounds: int, asked: ModelServer, tmp_path: Path) -> None:
    dspy = pytest.importorskip("dspy")
    answer = {"kind": "label", "labels": ["left", "right"], "rounds": rounds}
    run, rows, score, sent = finished(asked, tmp_path, answer=answer)
    (tmp_path / "best.py").write_text(export(read_material(run), "dspy"))
    space = runpy.run_path(str(tmp_path / "best.py"))
    before = len(asked.bodies())
    lm = dspy.LM("openai/task", api_base=asked.base_url, api_key=KEY, cache=False)
    with dspy.context(lm=lm):
        devset = [space["example"](row) for row in rows]
        found = dspy.Evaluate(devset=devset, metric=space["metric"], num_threads=4)(space["BestPrompt"]())
    assert found.score / 100 == pytest.approx(score, abs=1e-4)
    assert set(first_turns(asked, before)) >= set(sent)
    assert len(asked.bodies()) - before == rounds * len(rows)


@pytest.mark.parametrize("rounds", [1, 2])
def test_langchain(rounds: int, asked: ModelServer, tmp_path: Path) -> None:
    langchain_openai = pytest.importorskip("langchain_openai")
    answer = {"kind": "label", "labels": ["left", "right"], "rounds": rounds}
    run, rows, score, sent = finished(asked, tmp_path, answer=answer)
    material = read_material(run)
    (tmp_path / "best.py").write_text(export(material, "langchain"))
    space = runpy.run_path(str(tmp_path / "best.py"))
    before = len(asked.bodies())
    model = langchain_openai.ChatOpenAI(
        model="task", base_url=asked.base_url, api_key=KEY, temperature=0, max_tokens=20
    )
    values = [material.reading.score(space["ask"](model, row), row["target"]) for row in rows]
    assert sum(values) / len(values) == pytest.approx(score)
    assert set(first_turns(asked, before)) >= set(sent)
    assert len(asked.bodies()) - before == rounds * len(rows)


def test_promptfoo(asked: ModelServer, tmp_path: Path) -> None:
    command = os.environ.get("GPO_PROMPTFOO") or shutil.which("promptfoo")
    if not command:
        pytest.skip("no promptfoo on the PATH (npm install promptfoo) and no $GPO_PROMPTFOO")
    run, rows, score, sent = finished(asked, tmp_path)
    config = yaml.safe_load(export(read_material(run), "promptfoo"))
    # What a user fills in: the rows.
    config["tests"] = [
        {"vars": {"input": row["input"]}, "assert": [{"type": "equals", "value": row["target"]}]}
        for row in rows
    ]
    (tmp_path / "promptfooconfig.yaml").write_text(yaml.safe_dump(config, allow_unicode=True))
    before = len(asked.bodies())
    done = subprocess.run(
        [command, "eval", "--no-cache", "--no-progress-bar", "-o", "out.json"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PROMPTFOO_CONFIG_DIR": str(tmp_path / "home"),
            "PROMPTFOO_DISABLE_TELEMETRY": "1",
            "PROMPTFOO_DISABLE_UPDATE": "1",
        },
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert (tmp_path / "out.json").exists(), done.stdout + done.stderr
    stats = json.loads((tmp_path / "out.json").read_text())["results"]["stats"]
    assert stats["errors"] == 0
    assert stats["successes"] / len(rows) == pytest.approx(score)
    assert first_turns(asked, before) == sent
