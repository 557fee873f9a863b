"""A suite on a real Ray: the same table as without it, also when a worker is killed or shares no folder with us."""

from __future__ import annotations

import _thread
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from gpo.errors import ConfigError
from gpo.suites.execution.archive import LIMIT
from gpo.suites.execution.job import TrialResult
from gpo.suites.execution.pool import InProcessExecutor
from gpo.suites.execution.ray_pool import RayExecutor
from gpo.suites.execution.ray_task import Mark, carry_out
from gpo.suites.execution.runner import run_trials
from gpo.suites.spec.grid import Grid, expand
from gpo.suites.spec.suite import load_suite
from gpo.suites.tables.run_outcome import TrialOutcome, read_outcome
from gpo.suites.tables.table import build_table
from tests.support.landscape import Landscape
from tests.support.runs import write_task
from tests.support.server import ModelServer

on_ray = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed"),
    pytest.mark.skipif(sys.platform != "linux", reason="workers are found through /proc"),
]


def test_without_ray_it_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"^--ray needs ray, which is not installed: pip install .*\[ray\]"):
        RayExecutor(address="local", out=tmp_path).run([], print)


@dataclass(frozen=True)
class Bench:
    """2 tasks × 3 methods × 2 seeds on the simulated landscape, and the ways to carry it out."""

    folder: Path
    trials: Grid

    def alone(self, name: str, home: str, monkeypatch: pytest.MonkeyPatch) -> Any:
        """The table without Ray and without disturbance."""
        results: list[TrialResult] = []
        out = self.folder / name
        with monkeypatch.context() as patch:
            patch.setenv("GPO_HOME", str(self.folder / home))
            run_trials(
                self.trials, out, InProcessExecutor(out), told=lambda result, at, of: results.append(result)
            )
        assert not [result.reason for result in results if not result.finished]
        return self.table(name)

    def start(self, *, shared: bool = True, limit: int = LIMIT) -> subprocess.Popen[str]:
        """The suite on Ray."""
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.suites.ray_driver", str(self.folder / "suite.yaml")),
                *(str(self.folder / "ray"), "shared" if shared else "apart", str(limit)),
            ],
            cwd=Path(__file__).parents[2],
            env={
                **os.environ,
                "GPO_HOME": str(self.folder / "home"),
                "WORKERS_HOME": str(self.folder / "home-of-workers"),
            },
            stdout=subprocess.PIPE,
            text=True,
        )

    def table(self, name: str) -> Any:
        """The table in `name`, and all that is behind it but wall times, which no two runs share."""
        found = {
            trial.run_dir: read_outcome(trial.run_dir, self.folder / name) for trial in self.trials.trials
        }
        outcomes: dict[str, TrialOutcome] = {
            run: replace(outcome, seconds=0.0) for run, outcome in found.items() if outcome
        }
        assert len(outcomes) == len(self.trials.trials)
        suite = load_suite(str(self.folder / "suite.yaml")).config
        return build_table(suite, self.trials.slots, outcomes), outcomes

    def workers(self) -> dict[int, str]:
        """The processes that hold a journal under the folder of the Ray run open, and the run that each is at."""
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                names = (
                    [os.readlink(link) for link in (entry / "fd").iterdir()] if entry.name.isdigit() else []
                )
            except OSError:
                continue
            for name in names:
                if name.startswith(f"{self.folder / 'ray'}/") and name.endswith("journal.sqlite"):
                    found[int(entry.name)] = Path(name).parent.name
        return found


@pytest.fixture
def bench(server: ModelServer, tmp_path: Path) -> Bench:
    server.answer = Landscape().answer
    for number in (1, 2):
        write_task(tmp_path / f"data{number}", Landscape(), train=8 * number, dev=6, test=6)
    answer = {"kind": "label", "labels": ["left", "right"]}
    text = {
        "tasks": [{"label": f"t{n}", "data": f"data{n}", "answer": answer} for n in (1, 2)],
        "models": {"landscape": {"task": {"model": "landscape", "base_url": server.base_url}}},
        "methods": [{"label": "gpo", "trajectory": "recency"}, "ape", "empty"],
        "seeds": [0, 1],
        "base": {"prompt": "amber anchor", "optimize": {"epochs": 1, "batch_size": 8, "candidates": 2}},
    }
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(text))
    trials = expand(load_suite(str(tmp_path / "suite.yaml")))
    assert len(trials.trials) == 2 * 3 * 2
    return Bench(tmp_path, trials)


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What the driver printed."""
    printed, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    # Ray itself tells of a lost worker on stdout.
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def wait_for(condition: Callable[[], Any]) -> Any:
    for _ in range(20_000):
        if value := condition():
            return value
        time.sleep(0.02)
    pytest.fail("it never came to that")


def busy(server: ModelServer, bench: Bench, calls: int) -> dict[int, str]:
    """Workers in the middle of a run. From here on nobody is answered until `server.gate` is set again."""
    wait_for(lambda: server.stats.finished > calls + 5)
    server.gate.clear()
    found: dict[int, str] = wait_for(bench.workers)
    return found


def sampled(bodies: Sequence[dict[str, Any]]) -> list[str]:
    """Those requests whose answers no store shares."""
    return [json.dumps(body, sort_keys=True) for body in bodies if body["temperature"] > 0]


class TestWithoutRay:
    """What a machine does with a trial; the cluster that carries it is left out."""

    def test_one_that_shares_no_folder_asks_for_what_was_not_sent(self, bench: Bench) -> None:
        (trial, *_) = bench.trials.trials
        absent = Mark(path=str(bench.folder / "absent"), token="t")
        returned = carry_out(trial, str(bench.folder / "out"), absent, None, LIMIT)
        assert (returned.result, returned.files) == (None, None)

    def test_an_interruption_sends_back_what_was_paid_for_and_it_goes_on_from_there(
        self, bench: Bench, server: ModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        trial = next(trial for trial in bench.trials.trials if "ape" in trial.run_dir)
        absent = Mark(path=str(bench.folder / "absent"), token="t")
        tell = server.answer

        def interrupting(body: dict[str, Any]) -> str | list[str]:
            if body["temperature"] > 0:
                server.answer = tell
                _thread.interrupt_main()  # as Ray does it
            return tell(body)

        server.answer = interrupting
        monkeypatch.setenv("GPO_HOME", str(bench.folder / "first"))
        first = carry_out(trial, str(bench.folder / "out"), absent, dict, LIMIT)
        assert first.result is not None
        assert first.result.status == "interrupted"
        files = first.files
        assert files
        monkeypatch.setenv("GPO_HOME", str(bench.folder / "second"))
        second = carry_out(trial, str(bench.folder / "out"), absent, lambda: files, LIMIT)
        assert second.result is not None
        assert second.result.status == "complete"
        assert server.stats.repeated == 0
        assert not (bench.folder / "out").exists()


class TestOnRay:
    pytestmark = on_ray

    def test_a_killed_workers_cell_goes_on_and_the_table_is_the_same(
        self, bench: Bench, server: ModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected = bench.alone("alone", "home-alone", monkeypatch)
        calls = server.stats.finished
        process = bench.start()
        pid, run = next(iter(busy(server, bench, calls).items()))
        os.kill(pid, signal.SIGKILL)
        server.gate.set()
        told = ended(process)
        assert {result["run_dir"]: result["status"] for result in told["results"]} == {
            trial.run_dir: "complete" for trial in bench.trials.trials
        }
        assert run in {result["run_dir"] for result in told["results"]}
        assert bench.table("ray") == expected
        assert not list((bench.folder / "ray").glob(".shared-*"))

    def test_machines_that_share_no_folder_send_their_runs_and_their_answers(
        self, bench: Bench, server: ModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected = bench.alone("alone", "home-alone", monkeypatch)
        assert not ended(bench.start(shared=False))["interrupted"]
        assert bench.table("ray") == expected
        before = len(server.bodies())
        assert bench.alone("again", "home", monkeypatch) == expected
        asked = server.bodies()[before:]
        assert asked
        assert not [body for body in asked if body["temperature"] == 0]

    def test_a_run_directory_that_is_too_large_to_send_is_told(self, bench: Bench) -> None:
        results = ended(bench.start(shared=False, limit=10_000))["results"]
        assert {result["status"] for result in results} == {"failed"}
        assert all("too much to send" in result["reason"] for result in results)

    @pytest.mark.parametrize("shared", [True, False])
    def test_an_interruption_saves_and_the_same_command_goes_on(
        self, bench: Bench, server: ModelServer, monkeypatch: pytest.MonkeyPatch, shared: bool
    ) -> None:
        expected = bench.alone("alone", "home-alone", monkeypatch)
        before = len(server.bodies())
        server.delay = 0.05
        process = bench.start(shared=shared)
        wait_for(lambda: sampled(server.bodies()[before:]))
        process.send_signal(signal.SIGINT)
        assert ended(process)["interrupted"]
        assert list((bench.folder / "ray").glob("*/journal.sqlite"))
        server.delay = 0.0
        assert not ended(bench.start(shared=shared))["interrupted"]
        assert bench.table("ray") == expected
        # No store shares what was sampled: a run that had begun anew would have asked for it again.
        asked = sampled(server.bodies()[before:])
        assert len(asked) == len(set(asked)) == len(sampled(server.bodies()[:before]))

    def test_files_are_asked_for_where_they_are_needed_only(
        self, bench: Bench, server: ModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = len(server.bodies())
        server.delay = 0.05
        process = bench.start()
        wait_for(lambda: sampled(server.bodies()[before:]))
        process.send_signal(signal.SIGINT)
        assert ended(process)["interrupted"]
        server.delay = 0.0
        # Nothing needs to be sent: the limit, which every started run exceeds, is none.
        results = ended(bench.start(limit=10))["results"]
        assert {result["status"] for result in results} == {"complete"}
        assert bench.table("ray") == bench.alone("alone", "home-alone", monkeypatch)
