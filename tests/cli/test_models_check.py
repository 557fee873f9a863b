"""`gpo models check` on the command line, against endpoints that differ."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gpo.cli.models import app
from tests.support.server import ModelServer

KEY = "sk-check-000000"


def check(server: ModelServer, folder: Path, *options: str, key: str = KEY) -> Any:
    arguments = [
        "check",
        "--base-url",
        server.base_url,
        "--model",
        "m",
        "--api-key-env",
        "CHECK_KEY",
        *options,
    ]
    return CliRunner().invoke(app, arguments, env={"CHECK_KEY": key, "GPO_HOME": str(folder)})


def steady(body: dict[str, Any]) -> str:
    """A model that repeats itself where it is asked for the same."""
    return f"391, said with {body.get('seed')} at {body.get('temperature')}"


@pytest.mark.parametrize("repeats", [True, False])
def test_it_says_what_an_endpoint_is_and_whether_it_repeats_itself(repeats: bool, tmp_path: Path) -> None:
    number = count()
    with ModelServer(answer=steady if repeats else lambda body: f"{next(number)} sheep", key=KEY) as server:
        told = check(server, tmp_path, "--json")
        assert told.exit_code == 0, told.stderr
        found = json.loads(told.stdout)["task"]
        assert found["repeats"] == {"seed": repeats, "at 0": repeats}
        assert found["calls"] == server.stats.calls <= 12
        assert (found["reachable"], found["key_accepted"], found["thinks"]) == (True, True, "")
        shown = check(server, tmp_path).stdout
    word = "yes" if repeats else "no"
    assert f"repeats, seed      {word}\n  repeats, at 0      {word}\n" in shown
    assert f"base_url: {json.dumps(server.base_url)}" in shown
    assert ("does not repeat itself" in shown) is not repeats
    assert KEY not in shown + told.stdout


def test_what_is_refused_is_not_asked_twice_and_a_wrong_key_is_said(tmp_path: Path) -> None:
    with ModelServer(answer=steady, key=KEY, refuse=frozenset({"seed", "temperature"})) as server:
        found = json.loads(check(server, tmp_path, "--json").stdout)["task"]
        assert found["takes"]["seed"] is found["takes"]["temperature"] is False
        assert found["repeats"] == {"seed": None, "at 0": None}
        wrong = check(server, tmp_path, key="sk-wrong-111111")
    assert wrong.exit_code == 1
    assert "key accepted       no: " in wrong.stdout
    assert "sk-wrong-111111" not in wrong.stdout + wrong.stderr


def test_a_configuration_is_asked_for_both_its_models(tmp_path: Path) -> None:
    with ModelServer(answer=steady) as server:
        models = {role: {"model": role, "base_url": server.base_url} for role in ("task", "optimizer")}
        (tmp_path / "gpo.yaml").write_text(json.dumps({"task": {"data": "rows.csv"}, "models": models}))
        told = CliRunner().invoke(app, ["check", str(tmp_path / "gpo.yaml")])
    assert told.exit_code == 0, told.stderr
    assert f"task at {server.base_url}" in told.stdout
    assert f"optimizer at {server.base_url}" in told.stdout
    assert set(server.stats.models) == {"task", "optimizer"}


def test_without_a_name_it_asks_the_models_of_gpo_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "name a configuration" in str(CliRunner().invoke(app, ["check"]).exception)
    with ModelServer(answer=steady) as server:
        models = {"task": {"model": "m", "base_url": server.base_url}}
        task = {"data": "rows.csv", "input": "a", "target": "b", "answer": {"kind": "text"}}
        config = {"task": task, "prompt": "x", "models": {**models, "optimizer": models["task"]}}
        (tmp_path / "gpo.yaml").write_text(json.dumps(config))
        told = CliRunner().invoke(app, ["check", "--json"], env={"GPO_HOME": str(tmp_path)})
        assert told.exit_code == 0, (told.exception, told.output)
        assert json.loads(told.stdout)["task"]["calls"] == server.stats.calls > 0
