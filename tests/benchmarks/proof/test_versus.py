"""End to end on loopback: arms of ours and the fixed ones on the same rows, counted, resumed, tabulated."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from benchmarks.proof.arms import ARMS
from benchmarks.proof.deadline import Deadline
from benchmarks.proof.own import Outcome, Search, steps_for
from benchmarks.proof.statistics import compare_runs, holm
from benchmarks.proof.tasks import balanced, open_task
from benchmarks.proof.versus_table import difference, main, table

from benchmarks.proof import versus
from tests.benchmarks.proof.support import answer
from tests.support.server import ModelServer

SMALL = ["--train", "8", "--dev", "6", "--test", "10", "--calls", "40", "--seeds", "0", "--tasks", "tickets"]


def _run(server: ModelServer, folder: Path, *arms: str) -> list[dict[str, object]]:
    command = [str(folder), str(folder / "out"), *SMALL, "--base-url", server.base_url, "--model", "m"]
    assert versus.main([*command, "--arms", *arms]) == 0
    return [json.loads(line) for line in (folder / "out" / "runs.jsonl").read_text().splitlines()][1:]


def test_every_arm_is_tested_on_the_same_rows_and_counted(tmp_path: Path, server: ModelServer) -> None:
    server.answer = answer
    arms = ("opro", "best-of-n", "gpo-full", "library", "random-demos")
    lines = _run(server, tmp_path, *arms)
    assert [line["arm"] for line in lines] == list(arms)
    assert len({tuple(line["test"]) for line in lines}) == 1  # type: ignore[arg-type]
    assert all(len(line["test"]) == 10 for line in lines)  # type: ignore[arg-type]

    by_arm = {line["arm"]: line for line in lines}
    # Seven prompts and 40 calls: five of the six dev rows each. Six draws of demonstrations on all of dev.
    assert by_arm["library"]["task_calls"] == 35
    assert by_arm["random-demos"]["task_calls"] == 36
    # One step of as many candidates as 40 calls cover beside the start prompt, on six dev rows.
    assert by_arm["best-of-n"]["task_calls"] == 36
    searched = sum(line["task_calls"] + line["optimizer_calls"] for line in lines)  # type: ignore[operator]
    completions = sum(len(_texts(call.body)) for call in server.log)
    assert completions == searched + 5 * 10, "what is counted is what the endpoint answered, test apart"


def _texts(body: dict[str, object]) -> range:
    return range(int(str(body.get("n") or 1)))


def test_a_finished_line_is_not_run_again(tmp_path: Path, server: ModelServer) -> None:
    server.answer = answer
    _run(server, tmp_path, "library")
    calls = server.stats.calls
    lines = _run(server, tmp_path, "library", "random-demos")
    assert server.stats.calls - calls == 36 + 10
    assert [line["arm"] for line in lines] == ["library", "random-demos"]


def test_our_own_run_goes_on_from_its_journal(tmp_path: Path, server: ModelServer) -> None:
    server.answer = answer
    (first,) = _run(server, tmp_path, "opro")
    calls = server.stats.calls
    # Killed after the search and before its line was written: only the test is asked again.
    out = tmp_path / "out" / "runs.jsonl"
    out.write_text(out.read_text().splitlines()[0] + "\n")
    (again,) = _run(server, tmp_path, "opro")
    assert server.stats.calls - calls == 10
    assert {**again, "seconds": 0} == {**first, "seconds": 0}


def test_a_failed_arm_is_said_and_the_others_go_on(
    tmp_path: Path, server: ModelServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = answer

    def broken(run: object) -> Outcome:
        raise RuntimeError("a peer\nfell over")

    monkeypatch.setitem(ARMS, "ape", broken)
    command = [str(tmp_path), str(tmp_path / "out"), *SMALL, "--base-url", server.base_url, "--model", "m"]
    assert versus.main([*command, "--arms", "ape", "library"]) == 1
    assert "failed: RuntimeError: a peer fell over" in capsys.readouterr().err
    lines = (tmp_path / "out" / "runs.jsonl").read_text().splitlines()[1:]
    assert [json.loads(line)["arm"] for line in lines] == ["library"]


def test_steps_cover_the_calls() -> None:
    # 24 for the start prompt; 144 a full step of six, 64 a race of six on 24 rows (4 rows for six, 20 more for two).
    assert steps_for(Search(method="gpo", racing=False), 300, 24) == 2
    assert steps_for(Search(method="gpo"), 300, 24) == 5


def test_the_difference_is_a_mean_over_tasks_of_means_over_runs() -> None:
    found = compare_runs([[{"a": 10.0, "b": 30.0}, {"a": 0.0, "b": 0.0}], [{"c": -2.0}]])
    assert found.mean == pytest.approx(((20 + 0) / 2 - 2) / 2)
    assert found.runs == 3
    assert found.low < found.mean < found.high
    # Runs weigh 10, 0 and -2: every flip of their signs gives ±8 or ±12, which is at least as far from 0.
    assert found.p_value == 1.0
    steady = compare_runs([[{"a": 5.0, "b": 5.0}] * 3] * 4)
    assert (steady.mean, steady.low, steady.high) == (5.0, 5.0, 5.0)
    assert steady.p_value == pytest.approx(2 / 2**12)


def test_seeds_that_disagree_widen_the_interval() -> None:
    rows = [str(number) for number in range(50)]
    alike = [[dict.fromkeys(rows, 5.0)] * 3]
    apart = [[dict.fromkeys(rows, value) for value in (-15.0, 5.0, 25.0)]]
    assert compare_runs(alike).high == 5.0
    found = compare_runs(apart)
    # All three draws are the worst seed in 1 of 27 resamples, more than 2.5 %: 20 points below, widened by √(3/2).
    assert found.low == pytest.approx(5 - 20 * 1.5**0.5)
    assert found.high == pytest.approx(5 + 20 * 1.5**0.5)


def test_runs_weigh_as_in_the_mean_over_tasks() -> None:
    # 4 / 2, 4 / 2 and -3: their sum is 1, and no flip of signs is nearer to 0. Unweighted, half of the flips would be.
    assert compare_runs([[{"a": 4.0}, {"a": 4.0}], [{"b": -3.0}]]).p_value == 1.0


def test_gpo_plus_has_all_its_calls_for_the_search_and_its_demonstrations_are_tested(
    tmp_path: Path, server: ModelServer
) -> None:
    server.answer = answer
    command = [str(tmp_path), str(tmp_path / "out"), *SMALL, "--base-url", server.base_url, "--model", "m"]
    assert versus.main([*command, "--calls", "60", "--arms", "gpo+", "gpo+bare"]) == 0
    plus, bare = [json.loads(line) for line in (tmp_path / "out/runs.jsonl").read_text().splitlines()][1:]
    for line in (plus, bare):
        assert 48 <= line["task_calls"] <= 60
        assert len(line["test"]) == 10
    assert plus["notes"]["gpo+"]["plan"]["screened"] == 2
    assert bare["notes"]["gpo+"]["plan"]["screened"] == 1
    searched = sum(line["task_calls"] + line["optimizer_calls"] for line in (plus, bare))
    assert sum(len(_texts(call.body)) for call in server.log) == searched + 2 * 10


def test_after_its_minutes_nothing_is_begun_and_the_same_command_goes_on(
    tmp_path: Path, server: ModelServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = answer
    command = [str(tmp_path), str(tmp_path / "out"), *SMALL, "--base-url", server.base_url, "--model", "m"]
    command += ["--arms", "opro", "library"]
    assert versus.main([*command, "--minutes", "0"]) == 3
    assert server.stats.calls == 0
    assert "the same command goes on" in capsys.readouterr().err

    # The minutes are over within the first run.
    monkeypatch.setattr(Deadline, "passed", property(lambda self: self.minutes and server.stats.calls >= 20))
    assert versus.main([*command, "--minutes", "5"]) == 3
    assert (tmp_path / "out/runs.jsonl").read_text().count("\n") == 1, "half a run has no line"
    assert versus.main(command) == 0
    lines = [json.loads(line) for line in (tmp_path / "out/runs.jsonl").read_text().splitlines()][1:]
    assert [line["arm"] for line in lines] == ["opro", "library"]
    paid = sum(line["task_calls"] + line["optimizer_calls"] for line in lines) + 2 * 10
    completions = sum(len(_texts(call.body)) for call in server.log)
    assert completions == paid, "what was paid is not asked again"


def test_demonstrations_show_every_label_before_any_twice() -> None:
    task = open_task("tickets", None)
    for seed in range(5):
        shown = balanced(task, task.splits.train, 8, Random(seed))
        labels = [task.target_text(example) for example in shown]
        assert len(set(labels)) == 6
        assert max(labels.count(label) for label in labels) == 2


def test_holm() -> None:
    # 3 × 0.01, then 2 × 0.03, then 0.04 itself, which may not be less than the one before.
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def _line(arm: str, task: str, seed: int, values: list[float], dev: float | None = 0.5) -> dict[str, object]:
    return {
        "arm": arm, "task": task, "seed": seed, "dev": dev, "task_calls": 300, "optimizer_calls": 20,
        "task_tokens": 1000, "optimizer_tokens": 500, "seconds": 60.0,
        "test": {f"t{number}": value for number, value in enumerate(values)},
    }  # fmt: skip


def test_the_table_pairs_what_both_have(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        _line("gpo", "wsc", 0, [1, 1, 0, 0]),
        _line("gpo+", "wsc", 0, [1, 1, 1, 0]),
        _line("gpo+", "wsc", 1, [1, 1, 1, 1]),
        _line("gepa", "wsc", 0, [0, 0, 1, 0], None),
    ]
    shown = table(lines, "gpo+")
    assert shown[2].startswith("| gpo+ | 87.5 | 87.5 |  |  | 2 | 300 | 20 | 1,500 | 60 | -37.5 |")
    assert shown[3].startswith("| gpo | 50.0 | 50.0 | +25.0 [")
    assert shown[4].startswith("| gepa | 25.0 | 25.0 | +50.0 [")
    assert "(1.000)" in shown[4]
    assert shown[4].endswith("| – |")
    assert difference({}, {}) is None

    (tmp_path / "runs.jsonl").write_text('{"command": "c", "date": "d", "machine": {}, "settings": {}}\n')
    assert main([str(tmp_path)]) == 2
    assert "has no finished run yet" in capsys.readouterr().err
