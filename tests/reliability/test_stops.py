"""Leaving a run alone: kills at any instant, Ctrl-C, two processes, and what a run begins with from another one."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

import gpo
from gpo.errors import BudgetError, ConfigError, RunError
from gpo.run.directory import RunDirectory
from gpo.run.optimize import Run
from gpo.storage.journal_reader import JournalReader
from tests.cli.gpo import MAIN
from tests.support import forked
from tests.support.server import ModelServer

from .support import configuration, landscape_server, plan, run, timeless, write_rows


def start(folder: Path, *more: str, name: str = "run", as_json: bool = True) -> forked.Started:
    """`gpo optimize` as a process of its own."""
    given = ["--run-dir", str(folder / name), *(["--json"] if as_json else []), *more]
    environment = {**os.environ, "GPO_HOME": str(folder / f"home-{name}")}
    return forked.start(MAIN, "optimize", folder / "gpo.yaml", *given, env=environment)


def write_configuration(folder: Path, server: ModelServer, **sections: Any) -> None:
    write_rows(folder)
    (folder / "gpo.yaml").write_text(yaml.safe_dump(configuration(server.base_url, folder, **sections)))


def result(folder: Path, name: str = "run") -> dict[str, Any]:
    return timeless(json.loads((folder / name / "result.json").read_text()))


def wait_for_calls(server: ModelServer, calls: int, process: forked.Started) -> None:
    while server.stats.calls < calls and process.poll() is None:
        time.sleep(0.001)


def killed_and_completed(folder: Path, kills: int, seed: int) -> None:
    draw = random.Random(seed)
    with landscape_server(delay=0.01) as server:
        write_configuration(folder, server, model={"concurrency": 4})
        done = start(folder, name="whole")
        _, told = done.communicate(timeout=60)
        assert done.returncode == 0, told
        expected, calls = result(folder, "whole"), server.stats.finished
        server.stats.finished = server.stats.repeated = 0
        server._done.clear()
        for _ in range(kills):
            process = start(folder)
            # Some while python is loading, most somewhere in the run, each a little further on.
            wait_for_calls(server, server.stats.calls + draw.randint(0, max(2, 2 * calls // kills)), process)
            time.sleep(draw.uniform(0, 0.01))
            process.kill()
            process.communicate()
        done = start(folder)
        _, told = done.communicate(timeout=60)
        assert done.returncode == 0, told
        assert result(folder) == expected
        # What was in the journal was not asked again. When the process dies an answer can be on its way, one for each
        # place in flight, and as many again can wait for the commit under way (seen on a machine busy with other work).
        with JournalReader(folder / "run" / "journal.sqlite") as journal:
            assert len({call.key for call in journal.ledger()}) == calls
        assert server.stats.repeated <= 2 * 4 * kills
        assert server.stats.finished - server.stats.repeated == calls


def test_killed_three_times_and_completed(tmp_path: Path) -> None:
    killed_and_completed(tmp_path, 3, seed=0)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_fifty_times_and_completed(tmp_path: Path) -> None:
    killed_and_completed(tmp_path, 50, seed=1)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGHUP, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_the_first_signal_lets_calls_finish_and_saves(number: signal.Signals, tmp_path: Path) -> None:
    with landscape_server(delay=0.1) as server:
        write_configuration(tmp_path, server, model={"concurrency": 4})
        process = start(tmp_path)
        wait_for_calls(server, 10, process)
        process.send_signal(number)
        out, told = process.communicate(timeout=30)
        assert process.returncode == 130, told
        assert out == ""
        assert "same command again to go on" in told
        assert "Traceback" not in told
        # Nothing in flight was thrown away.
        assert server.stats.outcomes["aborted"] == 0
        assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "interrupted"
        assert "Interrupted after" in (tmp_path / "run" / "report.html").read_text()
        finished = server.stats.finished
        server.delay = 0.0
        process = start(tmp_path)
        process.communicate(timeout=60)
        assert process.returncode == 0
        assert server.stats.repeated == 0
        assert server.stats.finished > finished


def test_a_terminal_that_goes_may_say_so_more_than_once(tmp_path: Path) -> None:
    with landscape_server(delay=0.1) as server:
        write_configuration(tmp_path, server, model={"concurrency": 4})
        process = start(tmp_path)
        wait_for_calls(server, 6, process)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGHUP):
            process.send_signal(number)
            time.sleep(0.02)
        process.communicate(timeout=30)
        assert process.returncode == 130
        assert server.stats.outcomes["aborted"] == 0
    assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "interrupted"


def test_under_nohup_a_terminal_may_go(tmp_path: Path) -> None:
    with landscape_server(delay=0.02) as server:
        write_configuration(tmp_path, server)
        ignoring = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); {MAIN}"
        process = forked.start(ignoring, "optimize", tmp_path / "gpo.yaml", "--run-dir", tmp_path / "run")
        wait_for_calls(server, 3, process)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=30)
        assert process.returncode == 0


def test_a_person_who_stops_a_run_sees_the_best_prompt_so_far(tmp_path: Path) -> None:
    with landscape_server(delay=0.05) as server:
        write_configuration(tmp_path, server, model={"concurrency": 4})
        process = start(tmp_path, as_json=False)
        wait_for_calls(server, 10, process)
        process.send_signal(signal.SIGINT)
        out, told = process.communicate(timeout=30)
    assert process.returncode == 130, told
    found = json.loads((tmp_path / "run" / "result.json").read_text())
    assert out.splitlines()[:2] == ["best prompt so far", found["best_prompt"]]
    assert "Interrupted after" in out
    assert f"report   {tmp_path / 'run' / 'report.html'}" in told
    assert f"prompt   {tmp_path / 'run' / 'best_prompt.txt'}" in told


def test_the_second_signal_leaves_at_once_and_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    with landscape_server() as server:
        write_configuration(tmp_path, server, model={"concurrency": 4})
        server.delay = 0.05
        process = start(tmp_path)
        wait_for_calls(server, 10, process)
        server.delay = 60.0
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=3)
        assert process.returncode == 130
        server.delay = 0.0
        process = start(tmp_path)
        process.communicate(timeout=60)
        assert process.returncode == 0
        assert server.stats.repeated == 0


async def test_a_stop_from_python_is_the_same(tmp_path: Path) -> None:
    import asyncio

    from gpo.errors import Interrupted

    with landscape_server(delay=0.02) as server:
        working = Run(plan(server, tmp_path), RunDirectory(tmp_path / "run"), use_shared_store=False)
        asyncio.get_running_loop().call_later(0.1, working.stop)
        with pytest.raises(Interrupted):
            await working.execute()
        assert server.stats.outcomes["aborted"] == 0
        assert (await run(server, tmp_path)).status == "complete"
        assert server.stats.repeated == 0


def test_a_budget_ends_with_code_3_the_cap_and_the_result_so_far(tmp_path: Path) -> None:
    with landscape_server() as server:
        write_configuration(tmp_path, server)
        process = start(tmp_path, "--set", "budget.max_calls=15")
        out, told = process.communicate(timeout=30)
        assert process.returncode == 3
        assert "max_calls (15) is reached" in told.splitlines()[-1]
        assert server.stats.calls == 15
        printed = json.loads(out)
        assert timeless(printed) == result(tmp_path)
        assert printed["status"] == "budget"
        assert printed["best_prompt"] == (tmp_path / "run" / "best_prompt.txt").read_text()
        assert (tmp_path / "run" / "report.html").exists()

        # From Python, where nothing is kept, the error has it.
        asked = configuration(server.base_url, tmp_path, budget={"max_calls": 15})
        with pytest.raises(gpo.BudgetError, match="with run_dir such a run can go on") as caught:
            gpo.optimize(**asked)
        assert caught.value.result is not None
        assert caught.value.result.best_prompt == printed["best_prompt"]


def test_a_second_process_says_so_and_leaves(tmp_path: Path) -> None:
    with landscape_server(delay=0.2) as server:
        write_configuration(tmp_path, server, model={"concurrency": 2})
        first = start(tmp_path)
        wait_for_calls(server, 2, first)
        second = start(tmp_path)
        _, told = second.communicate(timeout=30)
        first.kill()
        first.communicate()
        assert second.returncode == 1
        assert f"process {first.pid} is working on this run" in told.splitlines()[-1]


def test_an_estimate_makes_no_call_and_bounds_what_comes(tmp_path: Path) -> None:
    with landscape_server() as server:
        write_configuration(tmp_path, server, model={"price": {"input": 1, "output": 2}})
        process = start(tmp_path, "--estimate")
        told = json.loads(process.communicate(timeout=30)[0])
        assert process.returncode == 0
        assert server.stats.calls == 0
        assert not (tmp_path / "run").exists()
        process = start(tmp_path)
        process.communicate(timeout=60)
        done = result(tmp_path)["usage"]
        for role in ("task", "optimizer"):
            for what in ("calls", "prompt_tokens", "completion_tokens", "usd"):
                assert done[role][what] <= told[role]["most"][what], (role, what)
        # 1 + 2 × 3 prompts on 8 dev rows, two on 10 test rows; two steps of one round or two.
        assert told["task"]["most"]["calls"] == told["task"]["expected"]["calls"] == 7 * 8 + 2 * 10
        assert told["optimizer"]["most"]["calls"] == 4
        assert told["optimizer"]["expected"]["calls"] == 2


async def test_a_fork_takes_over_the_answers_that_still_apply(tmp_path: Path) -> None:
    with landscape_server() as server:
        first = await run(server, tmp_path, "old")
        calls = server.stats.finished
        more = {"epochs": 2, "batch_size": 3, "candidates": 3, "resamples": 1}
        with pytest.raises(RunError, match=r"optimize\.epochs"):
            await run(server, tmp_path, "old", optimize=more)
        made = Run(
            plan(server, tmp_path, optimize=more, budget={"max_calls": 3}),
            RunDirectory(tmp_path / "new"),
            use_shared_store=False,
            fork=tmp_path / "old",
        )
        with pytest.raises(BudgetError):
            await made.execute()
        # Going on needs no --fork: the run remembers.
        second = await run(server, tmp_path, "new", optimize=more)
        # The edit limit of later steps is another one, so they ask for other candidates.
        assert second.steps[0] == first.steps[0]
        assert len(second.steps) == 4
        assert server.stats.repeated == 0
        assert server.stats.finished > calls
        assert second.usage.task.cached >= 4 * 8
        wrong = Run(plan(server, tmp_path), RunDirectory(tmp_path / "third"), fork=tmp_path / "nowhere")
        with pytest.raises(ConfigError, match="--fork"):
            await wrong.execute()


async def test_a_server_that_gives_one_completion_at_a_time_repeats_none(tmp_path: Path) -> None:
    with landscape_server(max_choices=1) as server:
        for cap in (9, 10, 11, 12, 30):
            with pytest.raises(BudgetError):
                await run(server, tmp_path, budget={"max_calls": cap})
            assert server.stats.calls == cap
        assert (await run(server, tmp_path)).status == "complete"
        assert server.stats.repeated == 0


def test_a_key_that_the_provider_echoes_is_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "Zx9-very/secret+value.42"
    monkeypatch.setenv("MY_KEY", secret)
    with landscape_server(key="another") as server:
        write_configuration(tmp_path, server, model={"api_key_env": "MY_KEY"})
        process = start(tmp_path)
        out, told = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "[key]" in told
        assert "secret" not in out + told
        server.key = None
        process = start(tmp_path)
        out, told = process.communicate(timeout=60)
        assert process.returncode == 0
        assert secret not in out + told
    for path in (tmp_path / "run").iterdir():
        assert secret.encode() not in path.read_bytes(), path
