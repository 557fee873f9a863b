"""Runs in MLflow's own store: what it holds is what result.json says.

Run with `uv run --with-requirements tests/integrations/requirements.txt pytest -m integrations`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import gpo
from gpo.cli.main import app
from gpo.result.result import Result
from tests.support.runs import config, write_task
from tests.support.server import ModelServer

from .support import KEY, LANDSCAPE, figures, run

pytestmark = [pytest.mark.integrations, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModelServer]:
    """A server, and a store of MLflow's in a file."""
    pytest.importorskip("mlflow")
    monkeypatch.setenv("GPO_TEST_KEY", KEY)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.chdir(tmp_path)
    with ModelServer(answer=LANDSCAPE.answer, key=KEY) as server:
        yield server


def stored(experiment: str) -> tuple[Any, Any, list[Any]]:
    """MLflow's client, and the experiment's runs."""
    from mlflow import MlflowClient

    client = MlflowClient()
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    return client, found, client.search_runs([found.experiment_id])


def text(client: Any, run_id: str, name: str, folder: Path) -> str:
    return Path(client.download_artifacts(run_id, name, str(folder))).read_text(encoding="utf-8")


def test_a_run_s_figures_and_files_are_in_the_store(asked: ModelServer, tmp_path: Path) -> None:
    watcher = gpo.integrations.mlflow.MlflowTracker(experiment="tickets")
    result = run(asked, run_dir=tmp_path / "mine", watcher=[watcher])
    client, _, (kept,) = stored("tickets")
    assert kept.info.run_name == "mine"
    assert kept.info.status == "FINISHED"
    assert kept.data.params["models.task.model"] == "own"
    assert kept.data.params["seed"] == "0"
    told = {name: value for name, value in kept.data.metrics.items() if not name.startswith("steps/")}
    assert {name: told[name] for name in figures(result)} == figures(result)
    for name in ("dev", "best_dev", "candidates_scored"):
        history = sorted(
            client.get_metric_history(kept.info.run_id, f"steps/{name}"), key=lambda one: one.step
        )
        assert [(one.step, one.value) for one in history] == [
            (step["step"], step[name]) for step in result.steps
        ]
    assert kept.data.tags["gpo.verdict"] == result.improvement.verdict
    for name, expected in (("best_prompt.txt", result.best_prompt), ("prompts/best.txt", result.best_prompt)):
        assert text(client, kept.info.run_id, name, tmp_path) == expected
    assert text(client, kept.info.run_id, "prompts/step-001.txt", tmp_path) == result.steps[1]["prompt"]
    assert "<html" in text(client, kept.info.run_id, "report.html", tmp_path)
    for path in (tmp_path / "mlflow.db", *(tmp_path / "mlruns").rglob("*")):
        assert path.is_dir() or KEY.encode() not in path.read_bytes(), path


def test_a_run_that_goes_on_is_one_run(asked: ModelServer, tmp_path: Path) -> None:
    def tracker() -> Any:
        return gpo.integrations.mlflow.MlflowTracker(report=False)

    with pytest.raises(gpo.BudgetError):
        run(asked, run_dir=tmp_path / "mine", watcher=tracker(), budget={"max_calls": 55})
    result = run(asked, run_dir=tmp_path / "mine", watcher=tracker())
    client, _, (kept,) = stored("gpo")
    history = client.get_metric_history(kept.info.run_id, "steps/dev")
    assert sorted(one.step for one in history) == [step["step"] for step in result.steps]
    assert kept.data.metrics["scores/best/test"] == result.scores.best.test
    assert kept.info.status == "FINISHED"


def test_a_store_that_is_not_there_is_one_warning(asked: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    lost = gpo.integrations.mlflow.MlflowTracker(tracking_uri=f"sqlite:///{tmp_path}/file/no.db")
    with pytest.warns(RuntimeWarning, match="MlflowTracker.* failed .*; the run goes on"):
        assert run(asked, watcher=lost).status == "complete"


def test_the_command_line_tracks(asked: ModelServer, tmp_path: Path) -> None:
    import yaml

    asked.key = None
    settings = config(asked, write_task(tmp_path / "data", LANDSCAPE, train=4, dev=6, test=8), method="ape")
    (tmp_path / "gpo.yaml").write_text(yaml.safe_dump(settings))
    done = CliRunner().invoke(app, ["optimize", "gpo.yaml", "--track", "mlflow"], catch_exceptions=False)
    assert done.exit_code == 0
    _, _, (kept,) = stored("gpo")
    result = Result.read(tmp_path / "runs" / "gpo" / "result.json")
    assert kept.data.metrics["scores/best/dev"] == result.scores.best.dev
    assert kept.data.metrics["usage/task/calls"] == result.usage.task.calls
