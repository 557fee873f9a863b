"""What `gpo optimize` shows and does before the real run: dry runs, estimates, quick looks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from gpo.cli.main import app
from gpo.errors import ConfigError
from tests.cli.test_init import run
from tests.support.landscape import Landscape
from tests.support.runs import config, write_task
from tests.support.server import ModelServer

LANDSCAPE = Landscape()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path


def prepare(server: ModelServer, here: Path, **changes: Any) -> None:
    server.answer = LANDSCAPE.answer
    settings = config(server, write_task(here / "data", LANDSCAPE), **changes)
    (here / "gpo.yaml").write_text(yaml.safe_dump(settings))


@pytest.mark.parametrize("direction", ["prompt+performance", "prompt+performance+reflection"])
def test_a_dry_run_shows_what_a_run_sends_first(server: ModelServer, here: Path, direction: str) -> None:
    prepare(server, here, method={"direction": direction, "trajectory": "recency"})
    shown = json.loads(run("optimize", "--dry-run", "--json"))
    text = run("optimize", "--dry-run")
    assert server.stats.calls == 0
    assert not (here / "runs").exists()
    # A server whose replies are the stand-in's is asked the same, word for word.
    server.answer = lambda body: "(a reply)"
    run("optimize", "--json", "--set", "optimize.keep_going=true")
    sent = server.bodies()
    for call in shown:
        same = [body for body in sent if body["messages"] == call["messages"]]
        assert same, call
        assert (same[0]["temperature"], same[0]["max_tokens"]) == (call["temperature"], call["max_tokens"])
        assert (same[0].get("n", 1), same[0].get("seed")) == (call["n"], call.get("seed"))
        assert call["messages"][-1]["content"] in text
    roles = [call["purpose"] for call in shown]
    assert roles == ["score", *(["reflection"] if "reflection" in direction else []), "candidates"]


@pytest.mark.parametrize(
    "method", ["gpo+", "ape-original", "apo-original", "opro-original", "pe2-original", "cot"]
)
def test_a_dry_run_of_every_kind_of_method(server: ModelServer, here: Path, method: str) -> None:
    prepare(server, here, method=method)
    calls = json.loads(run("optimize", "--dry-run", "--json"))
    roles = {call["role"] for call in calls}
    assert roles == ({"task"} if method == "cot" else {"task", "optimizer"})
    assert server.stats.calls == 0


def test_previews_need_no_key_and_no_weights(here: Path) -> None:
    write_task(here / "data", LANDSCAPE)
    task = {"data": "data", "answer": {"kind": "label", "labels": ["left", "right"]}}
    models = {"task": {"model": "openai/gpt-4o-mini"}, "optimizer": {"model": "local/qwen2.5-coder-1.5b"}}
    (here / "gpo.yaml").write_text(yaml.safe_dump({"task": task, "models": models}))
    found = json.loads(run("optimize", "--estimate", "--json"))
    # 6 steps of 8 candidates and the initial prompt on 12 dev rows, two prompts on 20 test rows.
    assert found["task"]["expected"]["calls"] == 49 * 12 + 40
    assert found["task"]["expected"]["usd"] > 0
    assert found["optimizer"]["expected"]["usd"] == 0
    assert "first meta-prompt, to local/qwen2.5-coder-1.5b" in run("optimize", "--dry-run")
    assert not (here / "home").exists()
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        run("optimize")


@pytest.mark.parametrize("embedder", ["openai/text-embedding-3-small", "local/qwen2.5-coder-1.5b"])
def test_nor_does_an_embedder(here: Path, embedder: str) -> None:
    write_task(here / "data", LANDSCAPE)
    task = {"data": "data", "answer": {"kind": "label", "labels": ["left", "right"]}}
    models = {role: {"model": "openai/gpt-4o-mini"} for role in ("task", "optimizer")}
    models["embedder"] = {"model": embedder}
    (here / "gpo.yaml").write_text(yaml.safe_dump({"task": task, "models": models}))
    assert json.loads(run("optimize", "--estimate", "--json"))["task"]["expected"]["calls"] == 49 * 12 + 40
    assert "first meta-prompt" in run("optimize", "--dry-run")
    assert not (here / "home").exists()
    with pytest.raises(ConfigError, match=r"models\.embedder\.model: .* is not known"):
        run("optimize", "--estimate", "--set", "models.embedder.model=letters")


def test_previews_fetch_no_rows_and_still_check_names(here: Path) -> None:
    models = {
        "task": {"model": "local/qwen2.5-coder-1.5b"},
        "optimizer": {"model": "local/qwen2.5-coder-1.5b"},
    }
    (here / "gpo.yaml").write_text(yaml.safe_dump({"task": {"data": "bbh/navigate"}, "models": models}))
    with pytest.raises(
        ConfigError, match="bbh/navigate are not on this machine, and --estimate fetches nothing"
    ):
        run("optimize", "--estimate")
    with pytest.raises(ConfigError, match=r"models\.task\.model: .*'gpt-4o' is not known"):
        run("optimize", "--dry-run", "--set", "task.data=gpo/tickets", "--set", "models.task.model=gpt-4o")


def test_a_quick_look_is_small_and_leaves_the_test_set_closed(server: ModelServer, here: Path) -> None:
    prepare(server, here, method={"trajectory": "recency"})
    result = json.loads(run("optimize", "-n", "5", "--json"))
    assert (here / "runs" / "gpo-n5" / "result.json").exists()
    texts = [body["messages"][-1]["content"] for body in server.bodies()]
    rows = [row["input"] for row in LANDSCAPE.rows(48)]
    asked = [sum(row in text for text in texts) for row in rows]
    assert sum(bool(count) for count in asked[16:28]) == 5  # dev
    assert not any(asked[28:])  # test
    assert any(
        line.startswith(
            "a quick look: 5 of 16 train rows and 5 of 12 dev rows; the held-out test set stays closed"
        )
        for line in result["warnings"]
    )
    assert result["scores"]["best"]["test"] is None
    # The real run is another one.
    whole = json.loads(run("optimize", "--json"))
    assert whole["improvement"]["rows"] == 20
    with pytest.raises(ConfigError, match="-n 0: must be a number of rows"):
        run("optimize", "-n", "0")


def test_a_quick_evaluation(server: ModelServer, here: Path) -> None:
    prepare(server, here)
    score = json.loads(run("evaluate", "--prompt", "amber anchor", "-n", "6", "--json"))
    assert score["examples"] == 6
    assert server.stats.calls == 6


def test_the_shell_completes_commands(here: Path) -> None:
    asked = {"_GPO_COMPLETE": "complete_bash", "COMP_WORDS": "gpo op", "COMP_CWORD": "1"}
    done = CliRunner().invoke(app, [], prog_name="gpo", env=asked)
    assert done.stdout.split() == ["optimize"]
