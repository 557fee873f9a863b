"""A pool of processes whose workers die at the worst moment: each trial is told once, and none takes the suite
along."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from gpo.errors import Interrupted
from gpo.suites.execution.job import TrialResult
from gpo.suites.execution.pool import PoolExecutor
from gpo.suites.tables.run_outcome import is_finished
from tests.suites.suites import grid_of, write_suite
from tests.support.landscape import Landscape
from tests.support.server import ModelServer


@pytest.mark.slow
def test_workers_that_die_while_a_result_is_told_end_nothing_but_what_they_were_at(
    tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = Landscape().answer
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
    trials = grid_of(write_suite(tmp_path, server.base_url, methods=["cot"])).trials
    told: list[TrialResult] = []

    def on_finish(result: TrialResult) -> None:
        told.append(result)
        if len(told) == 1:
            for worker in multiprocessing.active_children():
                worker.kill()
                worker.join()

    out = tmp_path / "out"
    out.mkdir()
    PoolExecutor(out, 2).run(trials, on_finish)
    assert sorted(result.run_dir for result in told) == sorted(trial.run_dir for trial in trials)
    assert told[0].status == "complete"
    lost = [result for result in told if result.status == "failed"]
    # At most the one beside it was under way; those that waited had a new pool.
    assert len(lost) <= 1
    assert all("was killed; run the same command again" in result.reason for result in lost)
    ended = {result.run_dir for result in told if result.finished}
    assert all(is_finished(trial, out) for trial in trials if trial.run_dir in ended)


def test_a_ctrl_c_between_two_calls_ends_the_suite_as_any_other(tmp_path: Path, server: ModelServer) -> None:
    # It comes while a worker still reads what a run needs: no event loop hears it there.
    (tmp_path / "stopping.py").write_text("raise KeyboardInterrupt\n")
    suite = write_suite(
        tmp_path, server.base_url, methods=["cot"], tasks=[{"data": "one", "metric": "stopping:f"}]
    )
    trials, told = grid_of(suite).trials, list[TrialResult]()
    with pytest.raises(Interrupted, match="run the same command again"):
        PoolExecutor(tmp_path / "out", 2).run(trials, told.append)
    assert {result.status for result in told} == {"interrupted"}
    assert {result.run_dir for result in told} <= {trial.run_dir for trial in trials}
