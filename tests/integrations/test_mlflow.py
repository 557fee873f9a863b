"""Runs in MLflow's own store: what it holds is what result.json says.

Run with `uv run --with-requirements tests/integrations/requirements.txt pytest -m integrations`.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import gpo
from gpo.cli.main import app
from gpo.result.result import Result
from tests.support.runs import config, write_task
from tests.support.server import ModelServer, all_text

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


# The optimizer of prompts

GOOD_WORD = "briefly"


def write_or_answer(body: dict[str, Any]) -> str:
    """New prompts in turn, some with the word that helps; and answers that are right where the prompt has it."""
    said = all_text(body)
    if body["model"] == "writer":
        words = ("kindly", "now", GOOD_WORD, "twice")[int(body.get("seed") or 0) % 4]
        return f"<START>Say the side of {{question}} {words}.<END>"
    number = int(re.findall(r"item (\d+)", said)[-1])
    return ("left", "right")[number % 2] if GOOD_WORD in said else "perhaps"


def test_prompts_of_the_registry_get_better(asked: ModelServer, tmp_path: Path) -> None:
    import mlflow
    from mlflow.genai.scorers import scorer

    asked.key, asked.answer = None, write_or_answer
    prompt = mlflow.genai.register_prompt(name="side", template="Where does {{question}} go?")

    def predict(question: str) -> str:
        text = mlflow.genai.load_prompt(prompt.uri).format(question=question)
        return ask(asked, text)

    @scorer  # type: ignore[untyped-decorator]
    def exact(outputs: str, expectations: dict[str, Any]) -> bool:
        return bool(outputs == expectations["expected_response"])

    data = [
        {"inputs": {"question": f"item {n}"}, "expectations": {"expected_response": ("left", "right")[n % 2]}}
        for n in range(60)
    ]
    optimizer = gpo.integrations.mlflow.GPOPromptOptimizer(
        {"model": "writer", "base_url": asked.base_url},
        method={"trajectory": "recency"},
        optimize={"epochs": 1, "batch_size": 6, "candidates": 4},
    )
    done = mlflow.genai.optimize_prompts(
        predict_fn=predict, train_data=data, prompt_uris=[prompt.uri], optimizer=optimizer, scorers=[exact]
    )
    result = optimizer.result
    assert result is not None
    (found,) = done.optimized_prompts
    assert GOOD_WORD in found.template
    assert "{{question}}" in found.template
    assert (done.initial_eval_score, done.final_eval_score) == (0.0, 1.0)
    assert done.final_eval_score == result.scores.best.test
    assert result.usage.task.calls > 60
    # MLflow's run has both its own figures and ours.
    (kept,) = mlflow.search_runs(output_format="list")
    assert kept.data.metrics["final_eval_score"] == kept.data.metrics["scores/best/test"] == 1.0
    assert kept.data.metrics["steps/best_dev"] == result.scores.best.dev


def test_a_predict_fn_that_fails_is_no_score_of_0(asked: ModelServer) -> None:
    import mlflow
    from mlflow.genai.scorers import scorer

    asked.key, asked.answer = None, write_or_answer
    prompt = mlflow.genai.register_prompt(name="side", template="Where does {{question}} go?")

    def predict(question: str) -> str:
        mlflow.genai.load_prompt(prompt.uri).format(question=question)
        if question == "item 0":
            return "left"  # MLflow tries the first one beforehand
        raise ValueError("no such server")

    @scorer  # type: ignore[untyped-decorator]
    def exact(outputs: str) -> bool:
        return False

    optimizer = gpo.integrations.mlflow.GPOPromptOptimizer(
        {"model": "writer", "base_url": asked.base_url}, method="ape"
    )
    data = [{"inputs": {"question": f"item {n}"}, "outputs": "left"} for n in range(40)]
    with pytest.raises(gpo.GPOError, match="no such server"):
        mlflow.genai.optimize_prompts(
            predict_fn=predict,
            train_data=data,
            prompt_uris=[prompt.uri],
            optimizer=optimizer,
            scorers=[exact],
        )


def test_chats_and_variables_go_there_and_back() -> None:
    pytest.importorskip("mlflow")
    from gpo.integrations.mlflow.templates import MlflowTemplates

    chat = json.dumps(
        [{"role": "system", "content": "Be {{ tone }}."}, {"role": "user", "content": "{{question}}"}]
    )
    templates = MlflowTemplates({"chat": chat, "plain": "Answer {{question}} as {json}."})
    assert templates.parts == {
        "chat[0]": "Be {tone}.",
        "chat[1]": "{question}",
        "plain": "Answer {question} as {json}.",
    }
    changed = {**templates.parts, "chat[0]": "Be very {tone}.", "plain": "{{question}} as {json}: {question}"}
    assert templates.restore(changed) == {
        "chat": json.dumps(
            [{"role": "system", "content": "Be very {{tone}}."}, {"role": "user", "content": "{{question}}"}]
        ),
        "plain": "{{question}} as {json}: {{question}}",
    }


def test_braces_beside_a_variable_stay() -> None:
    pytest.importorskip("mlflow")
    from gpo.integrations.mlflow.templates import MlflowTemplates

    texts = {"json": '{"value": {{q}}}', "deep": '{"a": {"b": {{q}}}, "c": {{r}}}', "none": '{"a": {}}'}
    templates = MlflowTemplates(texts)
    assert templates.parts["json"] == '{"value": {q}}'
    assert templates.restore(templates.parts) == texts
    written = {**templates.parts, "json": '{"said": {{ q }}, "again": {q}}'}
    assert templates.restore(written)["json"] == '{"said": {{q}}, "again": {{q}}}'


def test_a_run_with_several_prompts_has_names_that_mlflow_takes(asked: ModelServer, tmp_path: Path) -> None:
    prompts = {"chat[0]": "amber", "chat[1]": "anchor"}

    def program(parts: dict[str, str], row: dict[str, Any], model: Any) -> str:
        return str(model(f"{row['input']}\n{' '.join(parts.values())}"))

    rows = {"train": LANDSCAPE.rows(4), "dev": LANDSCAPE.rows(6, 4), "test": LANDSCAPE.rows(8, 10)}
    task = gpo.Task.from_program(rows, program, metric=lambda output, row: float(output == row["target"]))
    tracker = gpo.integrations.mlflow.MlflowTracker(report=False)
    options: dict[str, Any] = {
        "prompts": prompts,
        "models": {"model": "own", "base_url": asked.base_url, "api_key_env": "GPO_TEST_KEY"},
        "method": "ape",
        "optimize": {"epochs": 1, "batch_size": 4, "candidates": 1},
    }
    gpo.optimize(task, watcher=tracker, **options)
    _, _, (kept,) = stored("gpo")
    told = {name: value for name, value in kept.data.params.items() if name.startswith("prompt")}
    assert told == {"prompts.chat_0_": "amber", "prompts.chat_1_": "anchor"}
    assert kept.info.status == "FINISHED"


def test_a_run_of_mlflow_s_own_is_told_of_a_run_that_another_was_told(
    asked: ModelServer, tmp_path: Path
) -> None:
    import mlflow

    run(asked, run_dir=tmp_path / "mine", watcher=gpo.integrations.mlflow.MlflowTracker(report=False))
    mlflow.set_experiment("theirs")
    with mlflow.start_run() as active:
        tracker = gpo.integrations.mlflow.MlflowTracker(run_id=active.info.run_id, report=False)
        result = run(asked, run_dir=tmp_path / "mine", watcher=tracker)
    _, _, (kept,) = stored("theirs")
    assert kept.data.params["models.task.model"] == "own"
    assert kept.data.metrics["scores/best/test"] == result.scores.best.test


def ask(server: ModelServer, text: str) -> str:
    body = json.dumps({"model": "task", "messages": [{"role": "user", "content": text}]}).encode()
    request = urllib.request.Request(
        f"{server.base_url}/chat/completions", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:
        return str(json.loads(response.read())["choices"][0]["message"]["content"])
