"""What docs/compatibility.md promises: runs of 0.1.0 open and go on, and its keys, names and commands are there."""

from __future__ import annotations

import copy
import json
import sqlite3
from pathlib import Path

import pytest

import gpo
from gpo.cli.main import app
from gpo.config.load import parse_config
from gpo.errors import RunError
from tests.release import contract, old_run

METHODS = (
    "gpo", "ape", "apo", "opro", "pe2", "sgdm", "gpo+", "ape-original", "apo-original", "opro-original",
    "pe2-original", "empty", "cot",
)  # fmt: skip
METRICS = ("exact_match", "accuracy", "within 0.5", "regex", "f1", "rouge_l", "bleu", "chrf", "judge")


@pytest.fixture(params=old_run.LAYOUTS)
def layout(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder with both runs of 0.1.0 and what they were started with; nothing answers at their endpoint."""
    monkeypatch.chdir(tmp_path)
    old_run.write_inputs()
    old_run.unpack(request.param, tmp_path)
    return str(request.param)


def test_the_kept_runs_are_of_the_old_version(layout: str) -> None:
    result = json.loads(Path("complete/result.json").read_text())
    # The first layout recorded no version of its own.
    assert result["versions"].get("gpo") == {"layout1": None, "layout2": "0.1.0"}[layout]
    assert ("layout: 2\n" in Path("complete/config.yaml").read_text()) == (layout == "layout2")


def test_a_run_is_read_and_reported(layout: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = gpo.Result.read(Path("complete/result.json"))
    assert result.status == "complete"
    assert result.scores.best.test is not None
    run_gpo("report", "complete", "--out", "report.html")
    assert result.best_prompt in Path("report.html").read_text()
    capsys.readouterr()
    run_gpo("report", "half", "--text")
    assert "amber anchor" in capsys.readouterr().out


@pytest.mark.slow
def test_a_run_is_compared(layout: str) -> None:
    run_gpo("report", "complete", "--compare", "half", "--out", "both.html")
    page = Path("both.html").read_text()
    assert "complete" in page
    assert "half" in page


def test_a_complete_run_is_complete_for_the_same_command(
    layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = gpo.Result.read(Path("complete/result.json"))
    run_gpo("optimize", "gpo.yaml", "--run-dir", "complete", "--json")
    after = json.loads(capsys.readouterr().out)
    assert (after["best_prompt"], after["scores"]) == (before.best_prompt, before.to_dict()["scores"])


def test_an_export_of_the_first_layout_says_how_to_get_one(
    layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if layout == "layout1":
        with pytest.raises(RunError, match="--run-dir NEW --fork complete"):
            run_gpo("export", "complete", "--to", "text")
        run_gpo("optimize", "gpo.yaml", "--run-dir", "new", "--fork", "complete")  # nothing answers there
        run_gpo("export", "new", "--to", "text")
    else:
        run_gpo("export", "complete", "--to", "text")
    assert gpo.Result.read(Path("complete/result.json")).best_prompt in capsys.readouterr().out


def test_a_half_finished_run_goes_on_and_pays_nothing_twice(layout: str, tmp_path: Path) -> None:
    whole = json.loads(Path("whole.json").read_text())
    known = count_calls()
    old_run.asked.clear()
    result = old_run.go_on("half")
    assert (result.status, result.best_prompt) == ("complete", whole["best_prompt"])
    assert result.scores.best.dev == whole["dev"]
    assert [dict(step) for step in result.steps] == whole["steps"]
    assert known > 0
    # A call that was paid for already would be asked once more and be no new one in the journal.
    assert known + len(old_run.asked) == count_calls() <= whole["calls"]


def test_keys_names_commands_and_formats_of_the_old_version_are_there() -> None:
    before = json.loads(contract.KEPT.read_text())
    assert len(before["keys"]) > 150
    assert contract.find_missing(before, contract.describe()) == []


def test_what_is_gone_is_found() -> None:
    now = contract.describe()
    later = copy.deepcopy(now)
    del later["keys"]["budget.max_usd"]
    later["names"]["optimize"].remove("preset")
    later["keys"]["preset"].remove('"released"')
    assert contract.find_missing(now, later) == [
        "keys budget.max_usd",
        'keys preset: "released"',
        "names optimize: preset",
    ]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_of_the_old_version_is_known(method: str) -> None:
    parse_config({"task": {"data": "gpo/tickets"}, "models": _models(), "method": method})


@pytest.mark.parametrize("metric", METRICS)
def test_a_metric_of_the_old_version_is_known(metric: str) -> None:
    kind = {"within 0.5": "number", "f1": "label"}.get(metric, "label" if metric == "accuracy" else "text")
    task = {"data": "rows.csv", "metric": metric, "answer": {"kind": kind, "labels": ["a", "b"]}}
    if kind != "label":
        task["answer"] = {"kind": kind}
    judge = {"judge": {"rubric": "Short is good."}} if metric == "judge" else {}
    models = _models() | ({"judge": {"model": "openai/gpt-4o-mini"}} if judge else {})
    parse_config({"task": task | judge, "models": models})


def count_calls() -> int:
    """The different calls in the journal of the half-finished run."""
    with sqlite3.connect("half/journal.sqlite") as journal:
        (count,) = journal.execute("SELECT count(*) FROM calls").fetchone()
    return int(count)


def run_gpo(*arguments: str) -> None:
    """A command in this process. Raises `GPOError` where the command would print its line."""
    app(list(arguments), standalone_mode=False)


def _models() -> dict[str, dict[str, str]]:
    return {role: {"model": "openai/gpt-4o-mini"} for role in ("task", "optimizer")}
