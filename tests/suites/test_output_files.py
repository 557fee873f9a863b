"""What lies in a suite's folder: runs whose files are gone or damaged, and the tables of several suites."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gpo.suites.spec.grid import expand
from gpo.suites.spec.suite import load_suite
from gpo.suites.tables.output_files import make_room
from gpo.suites.tables.report import report
from tests.cli.gpo import gpo
from tests.suites.suites import bench, suite_data, write_suite
from tests.support.landscape import Landscape
from tests.support.server import ModelServer


@pytest.fixture
def land(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    """The server with the landscape's answers, and a store of calls of the test's own."""
    server.answer = Landscape().answer
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
    return server


def lose(run: Path) -> str:
    for file in run.glob("journal.sqlite*"):
        file.unlink()
    return "has a result and no journal.sqlite; put that back, or remove the folder to run it anew"


def damage(run: Path) -> str:
    with closing(sqlite3.connect(run / "journal.sqlite")) as connection:
        connection.execute("DROP TABLE scores")
    return "journal.sqlite"


@pytest.mark.parametrize("harm", [lose, damage])
def test_a_finished_run_without_its_scores_is_told_with_its_reason_everywhere(
    tmp_path: Path, land: ModelServer, harm: object
) -> None:
    suite, out = write_suite(tmp_path, land.base_url, methods=["cot"], seeds=1), tmp_path / "out"
    bench(suite, out)
    (run,) = out.glob("one-cot-*")
    assert callable(harm)
    reason = harm(run)
    asked = land.stats.calls

    done = gpo("bench", suite, "--out", out, cwd=tmp_path)
    assert done.returncode == 1
    told = " ".join((done.stdout + done.stderr).split())
    assert f"failed: {run.name}" in told
    assert reason in told
    done = gpo("bench", suite, "--out", out, "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert reason in json.loads(done.stdout)["failed"][run.name]
    assert run.name in done.stderr
    assert reason in " ".join(done.stderr.split())
    assert land.stats.calls == asked
    assert (run / "best_prompt.txt").exists()


def test_suites_that_share_a_folder_share_runs_and_keep_their_tables(
    tmp_path: Path, land: ModelServer
) -> None:
    first = write_suite(tmp_path, land.base_url, methods=["cot"], seeds=1, figure="tradeoff")
    second = write_suite(tmp_path, land.base_url, name="second.yaml", methods=["empty", "cot"], seeds=1)
    out = tmp_path / "out"

    def run(suite: Path) -> str:
        done = gpo("bench", suite, "--out", out, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def files() -> set[str]:
        return {path.name for path in out.iterdir() if path.is_file() and not path.name.startswith(".")}

    plain = {"table.md", "table.csv", "table.tex"}
    run(first)
    assert files() == {*plain, "figure.svg"}
    table = (out / "table.md").read_text()
    assert "it is kept as table-land.md" in run(second)
    assert len(list(out.glob("*/result.json"))) == 4
    beside = {"table-land.md", "table-land.csv", "table-land.tex", "figure-land.svg"}
    assert files() == {*plain, *beside}
    assert (out / "table-land.md").read_text() == table
    assert "| empty |" in (out / "table.md").read_text()

    # The first one again: it is the table again, and there is one of each.
    assert "it is kept as table-second.md" in run(first)
    assert files() == {*plain, "figure.svg", "table-second.md", "table-second.csv", "table-second.tex"}
    assert (out / "table.md").read_text() == table
    # Without its figure, an old one does not stay.
    write_suite(tmp_path, land.base_url, methods=["cot"], seeds=1)
    assert "figure.svg: removed" in run(first)
    assert "figure.svg" not in files()
    # One that came from elsewhere does.
    (elsewhere := tmp_path / "elsewhere").mkdir()
    (elsewhere / "figure.svg").write_text("mine")
    assert make_room(elsewhere, "land", figure=False) == []
    assert (elsewhere / "figure.svg").read_text() == "mine"


def test_what_another_process_finished_is_no_failure(tmp_path: Path, land: ModelServer) -> None:
    suite = write_suite(tmp_path, land.base_url, methods=["cot"], seeds=1)
    bench(suite, out := tmp_path / "out")
    failed = {next(out.glob("one-*")).name: "another process is working on it", "elsewhere": "lost"}
    loaded = load_suite(str(suite))
    report(loaded.config, expand(loaded), out, failed)
    assert failed == {"elsewhere": "lost"}
    assert "another process" not in (out / "table.md").read_text()


def test_a_run_under_another_budget_is_told_apart(tmp_path: Path, land: ModelServer) -> None:
    suite = write_suite(tmp_path, land.base_url, tasks=[{"data": "one"}], methods=["ape"], seeds=1)
    out, said = tmp_path / "out", "1 of the runs were made under another budget than the suite has now"
    bench(suite, out, "budget.max_calls=1000")
    assert said not in (out / "table.md").read_text()
    table, _ = bench(suite, out, "budget.max_calls=20")
    assert said in table.notes
    assert said in (out / "table.md").read_text()


def test_a_run_that_its_budget_ended_is_marked(tmp_path: Path, land: ModelServer) -> None:
    answer = suite_data(land.base_url)["tasks"][0]
    suite = write_suite(tmp_path, land.base_url, tasks=[answer], methods=["ape"], seeds=1)
    found, _ = bench(suite, out := tmp_path / "out", "budget.max_calls=20")
    assert found.entry("ape", ("one",)).stopped == 1
    assert "(1 stopped" in (out / "table.md").read_text()
    assert "Stopped: a run that its budget ended" in (out / "table.md").read_text()
