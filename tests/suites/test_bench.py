"""A suite as a person runs it: killed and run again, with a column more, with a trial that fails."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gpo.suites.execution.job import run_trial
from tests.cli.gpo import MAIN, gpo
from tests.suites.suites import bench, grid_of, write_suite
from tests.support import forked
from tests.support.landscape import Landscape
from tests.support.server import ModelServer


@pytest.fixture
def land(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    """The server with the landscape's answers, and a store of calls of the test's own."""
    server.answer = Landscape().answer
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
    return server


def start(folder: Path, suite: Path, out: str, *more: str, home: str = "home") -> forked.Started:
    """`gpo bench` in a process group of its own."""
    environment = {**os.environ, "GPO_HOME": str(folder / home)}
    return forked.start(MAIN, "bench", suite, "--out", folder / out, *more, cwd=folder, env=environment)


def wait_for(calls: int, server: ModelServer, process: forked.Started) -> None:
    while server.stats.calls < calls:
        assert process.poll() is None, "it was over too soon"
        time.sleep(0.002)


def count(database: Path, query: str) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return int(connection.execute(query).fetchone()[0])


def settled(out: Path, store: Path, finished: int, of_task: int) -> bool:
    """Whether everything that the server finished is in the journals, and what can be shared in the store."""
    journals = sum(
        count(journal, "SELECT count(*) FROM calls WHERE source = 'sent'")
        for journal in out.glob("*/journal.sqlite")
    )
    return journals == finished and count(store, "SELECT count(*) FROM calls") == of_task


def kill_between_calls(calls: int, server: ModelServer, process: forked.Started, folder: Path) -> None:
    """SIGKILL to the whole group at an instant when every finished call has arrived and many others are on their way:
    one that dies on the way back is lost to anybody."""
    wait_for(calls, server, process)
    server.gate.clear()
    # Calls that had passed the gate before are answered first.
    time.sleep(0.1)
    while not settled(
        folder / "killed",
        folder / "other" / "store.sqlite",
        server.stats.finished,
        server.stats.models["task"],
    ):
        assert process.poll() is None, "it was over too soon"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)
    # Calls whose asker is gone end at the server too, before it answers again: else it would count them as finished.
    deadline = time.monotonic() + 10
    while server.stats.concurrent and time.monotonic() < deadline:
        time.sleep(0.01)
    server.gate.set()


def tables(folder: Path) -> dict[str, str]:
    """The table's files."""
    return {name: (folder / name).read_text() for name in ("table.csv", "table.md", "table.tex")}


def test_a_killed_suite_goes_on_asks_nothing_twice_and_has_the_table_of_an_undisturbed_one(
    tmp_path: Path, land: ModelServer
) -> None:
    suite = write_suite(tmp_path, land.base_url)
    bench(suite, tmp_path / "whole")
    asked = land.stats.finished
    assert land.stats.repeated == 0

    with ModelServer(answer=Landscape().answer, delay=0.002) as other:
        suite = write_suite(tmp_path, other.base_url, name="other.yaml")
        for share in (0.2, 0.6):
            process = start(tmp_path, suite, "killed", home="other")
            kill_between_calls(int(asked * share), other, process, tmp_path)
        process = start(tmp_path, suite, "killed", home="other")
        _, told = process.communicate(timeout=60)

        assert process.returncode == 0, told
        assert other.stats.repeated == 0
        assert other.stats.finished == asked
    assert tables(tmp_path / "killed") == tables(tmp_path / "whole")


@pytest.mark.slow
def test_a_killed_search_under_an_equal_budget_ends_where_an_undisturbed_one_does(
    tmp_path: Path, land: ModelServer
) -> None:
    sections: dict[str, Any] = {
        "methods": ["ape", "pe2-original"],
        "seeds": 1,
        "budget": {"equal": True, "max_calls": 60, "max_tokens": 6000},
    }
    bench(write_suite(tmp_path, land.base_url, **sections), tmp_path / "whole")
    asked = land.stats.finished
    assert "failed" not in (tmp_path / "whole" / "table.md").read_text()

    with ModelServer(answer=Landscape().answer, delay=0.002) as other:
        suite = write_suite(tmp_path, other.base_url, name="other.yaml", **sections)
        process = start(tmp_path, suite, "killed", home="other")
        kill_between_calls(asked // 2, other, process, tmp_path)
        process = start(tmp_path, suite, "killed", home="other")
        _, told = process.communicate(timeout=60)

        assert process.returncode == 0, told
        assert other.stats.repeated == 0
        assert other.stats.finished == asked
    assert tables(tmp_path / "killed") == tables(tmp_path / "whole")


@pytest.mark.slow
def test_two_workers_killed_leave_nothing_behind_and_come_to_the_same_table(
    tmp_path: Path, land: ModelServer
) -> None:
    suite = write_suite(tmp_path, land.base_url)
    bench(suite, tmp_path / "whole")
    land.delay = 0.005
    process = start(tmp_path, suite, "killed", "--workers", "2", home="other")
    wait_for(2 * land.stats.calls - 100, land, process)
    os.kill(process.pid, signal.SIGKILL)  # this process alone: its workers notice
    process.communicate(timeout=20)

    land.delay = 0.0
    process = start(tmp_path, suite, "killed", "--workers", "2", home="other")
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert tables(tmp_path / "killed") == tables(tmp_path / "whole")


def test_a_worker_that_is_killed_costs_what_was_under_way_and_nothing_else(
    tmp_path: Path, land: ModelServer
) -> None:
    suite = write_suite(tmp_path, land.base_url, methods=["cot"])
    land.gate.clear()
    process = start(tmp_path, suite, "out", "--workers", "2")
    while land.stats.concurrent < 1:
        assert process.poll() is None, "it was over too soon"
        time.sleep(0.002)
    (victim, *_) = (tmp_path / "out").glob("*/.lock")
    os.kill(int(victim.read_text()), signal.SIGKILL)
    land.gate.set()
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    lines = [line for line in told.splitlines() if line.startswith("[")]
    assert len(lines) == 4
    # Those that wait in the same pool go down with it, those after them are run.
    lost = [line for line in lines if "was killed; run the same command again" in line]
    assert 1 <= len(lost) <= 2
    bench(suite, tmp_path / "out")
    assert "failed" not in (tmp_path / "out" / "table.md").read_text()


def test_run_again_it_asks_for_nothing_and_a_new_row_asks_for_its_own_runs_only(
    tmp_path: Path, land: ModelServer
) -> None:
    suite, out = write_suite(tmp_path, land.base_url), tmp_path / "out"
    bench(suite, out)
    asked, first = land.stats.calls, tables(out)
    before = {path: path.read_bytes() for path in out.glob("*/result.json")}

    table, results = bench(suite, out)
    assert (results, land.stats.calls) == ([], asked)
    assert tables(out) == first
    assert {entry.seeds for entry in table.entries.values()} == {2}

    write_suite(tmp_path, land.base_url, methods=["cot", "ape", "opro", "apo"])
    table, results = bench(suite, out)
    assert sorted(result.run_dir.split("-")[1] for result in results) == ["apo"] * 4
    assert {path: path.read_bytes() for path in before} == before
    assert table.rows == ("cot", "ape", "opro", "apo")


def test_a_cell_that_fails_is_marked_and_the_others_go_on(tmp_path: Path, land: ModelServer) -> None:
    model = {"model": "task", "base_url": land.base_url}
    land.models = frozenset({"task"})
    models = {"bad": {"task": {**model, "model": "absent"}}, "good": {"task": model}}
    suite = write_suite(
        tmp_path, land.base_url, models=models, methods=["cot"], seeds=1, table={"columns": "model"}
    )
    done = gpo("bench", suite, "--out", tmp_path / "out", cwd=tmp_path)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    page = (tmp_path / "out" / "table.md").read_text()
    (row,) = [line for line in page.splitlines() if line.startswith("| cot | failed |")]
    assert row != "| cot | failed | – |"
    assert "does not exist" in page

    land.models = None
    bench(suite, tmp_path / "out")
    assert "failed" not in (tmp_path / "out" / "table.md").read_text()


def test_only_runs_what_fits_and_shows_the_rest_as_missing(tmp_path: Path, land: ModelServer) -> None:
    suite = write_suite(tmp_path, land.base_url)
    done = gpo("bench", suite, "--out", tmp_path / "out", "--only", "one-*-s0", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    entries = {(e["row"], e["column"][0]): e for e in json.loads(done.stdout)["entries"]}
    assert (entries["ape", "one"]["seeds"], entries["ape", "one"]["std"]) == (1, None)
    assert (entries["ape", "two"]["seeds"], entries["ape", "two"]["mean"]) == (0, None)
    page = (tmp_path / "out" / "table.md").read_text()
    assert "(1 of 2 seeds)" in page
    assert "| – | – |" in page


def test_the_runs_of_a_folder_that_an_older_version_began_are_all_made_as_it_made_them(
    tmp_path: Path, land: ModelServer
) -> None:
    suite = write_suite(tmp_path, land.base_url, methods=["ape"])
    trials, out = grid_of(suite), tmp_path / "out"
    first = trials.trials[0]
    assert run_trial(replace(first, config={**first.config, "layout": 1}), out).status == "complete"
    _, results = bench(suite, out)
    assert len(results) == len(trials.trials) - 1
    for trial in trials.trials:
        assert "layout: 1\n" in (out / trial.run_dir / "config.yaml").read_text()
    bench(suite, tmp_path / "new")
    assert "layout: 2\n" in (tmp_path / "new" / first.run_dir / "config.yaml").read_text()


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path: Path, land: ModelServer, workers: str) -> None:
    suite = write_suite(tmp_path, land.base_url)
    land.delay = 0.02
    process = start(tmp_path, suite, "out", "--workers", workers)
    wait_for(30, land, process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told.splitlines()[-1] == "gpo: interrupted; run the same command again to go on"
    assert "Traceback" not in told
    assert (tmp_path / "out" / "table.md").exists()
    land.delay = 0
    bench(suite, tmp_path / "out")
    # Two workers may both be asking for the start prompt's answers; one asks for nothing twice.
    assert land.stats.repeated == 0 or workers == "2"
