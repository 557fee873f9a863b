"""`--plan` against sizes worked out by hand and against the paper's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpo.bench.cells import expand
from gpo.bench.paper import SIZES
from gpo.bench.plan import SuitePlan, lines, plan
from gpo.bench.suite import load_suite
from tests.bench.suites import write_suite
from tests.cli.gpo import gpo

URL = "http://127.0.0.1:1/v1"


def planned(name: str | Path, *overrides: str) -> SuitePlan:
    suite = load_suite(str(name), overrides)
    return plan(suite, expand(suite))


def test_the_paper_s_steps() -> None:
    # 3 epochs of ⌈48/8⌉, ⌈100/8⌉, ⌈20/8⌉, ⌈50/8⌉ steps.
    assert {name: sizes.steps for name, sizes in SIZES.items()} == {
        "bbh": 18, "gsm8k": 39, "mmlu": 9, "wsc": 21, "webnlg": 39,
    }  # fmt: skip


def test_lite_bbh_is_the_paper_s_18_steps_of_8_candidates_on_48_dev_examples() -> None:
    found = planned("table2")
    assert {(k.steps, k.candidates, k.dev, k.test) for k in found.kinds} == {
        ((18, 18), (8, 8), (48, 48), (144, 144))
    }
    assert found.runs == 360
    said = "18 steps of 8 candidates on 48 dev examples, 144 test examples, 3 runs each (as planned)"
    assert any(said in line for line in lines(found))


def test_all_benchmarks_of_table_5_have_the_paper_s_sizes() -> None:
    found = planned("table5")
    by_task = {kind.task: kind for kind in found.kinds if kind.method == "gpo"}
    # Three tasks of BBH have fewer rows than the others, some subjects of MMLU one test row less.
    assert by_task["BBH"].steps == (12, 18)
    assert by_task["BBH"].dev == (27, 48)
    assert (by_task["GSM8K"].steps, by_task["GSM8K"].test) == ((39, 39), (300, 300))
    assert (by_task["STEM"].steps, by_task["STEM"].dev) == ((9, 9), (20, 20))
    assert (by_task["WSC"].steps, by_task["WSC"].dev) == ((21, 21), (50, 50))
    said = "\n".join(lines(found))
    assert said.count("(as planned") == 8
    assert "planned otherwise" not in said
    # 27 + 1 + 57 + 1 + 1 tasks, 8 methods, 3 seeds; the column of all MMLU needs no run of its own.
    assert found.runs == 87 * 8 * 3


def test_calls_by_hand(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, URL)
    by_method = {kind.method: kind for kind in planned(suite).kinds if kind.task == "one"}
    # cot: 8 dev and 10 test rows; two seeds.
    assert by_method["cot"].calls == 2 * (8 + 10)
    # 2 steps of 3 candidates: dev for 1 + 6 prompts, test for two, a call for the candidates of each step.
    assert by_method["ape"].calls == 2 * (8 * 7 + 2 * 10 + 2)
    assert by_method["ape"].steps == (2, 2)
    assert planned(suite).calls == 2 * (2 * 18 + 2 * 2 * 78)
    assert by_method["ape"].paper is None


def test_a_part_of_a_suite_can_be_planned(tmp_path: Path) -> None:
    done = gpo("bench", write_suite(tmp_path, URL), "--plan", "--only", "two-ape", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["runs"] == 2


def test_an_equal_budget_caps_the_search_and_not_the_test(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, URL, budget={"equal": True, "max_calls": 40})
    by_method = {kind.method: kind for kind in planned(suite).kinds if kind.task == "one"}
    # 8 calls for the start prompt, and 25 for each of the steps, of which one fits.
    assert by_method["ape"].calls == 2 * (8 + 25 + 2 * 10)
    assert by_method["ape"].steps == (1, 1)
    assert by_method["cot"].calls == 2 * 18


def test_texts_that_are_not_here_leave_tokens_unknown_and_so_is_the_sum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
    found = planned("table5", "methods=[cot, gpo, apo-original]", "tasks=[gsm8k, gpo/navigate]")
    told = {(kind.task, kind.method): kind for kind in found.kinds}
    # Two rounds; 100 dev and 300 test rows; 39 steps of 8 candidates.
    assert told["gsm8k", "gpo"].calls == 3 * (2 * (100 * (1 + 39 * 8) + 2 * 300) + 39)
    assert told["gsm8k", "gpo"].tokens is None
    assert told["gpo/navigate", "gpo"].tokens is not None
    # What a protocol asks hangs on texts too.
    assert told["gsm8k", "apo-original"].calls is None
    assert found.calls is None
    assert "–" in lines(found)[4]


def test_a_group_with_caps_of_its_own_is_planned_otherwise() -> None:
    found = planned("table2", "split={train: 24, dev: 24, test: 48}", "base.optimize.epochs=2")
    kind = found.kinds[0]
    assert (kind.steps, kind.dev, kind.test) == ((6, 6), (24, 24), (48, 48))
    assert any("(planned otherwise)" in line for line in lines(found))


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_the_command_plans_without_a_call_or_a_file(tmp_path: Path, more: tuple[str, ...]) -> None:
    done = gpo("bench", write_suite(tmp_path, URL), "--plan", *more, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "runs").exists()
    if more:
        assert json.loads(done.stdout)["runs"] == 12
    else:
        assert done.stdout.splitlines()[1].split() == [
            "task", "method", "runs", "steps", "candidates", "dev", "test", "calls", "tokens",
        ]  # fmt: skip
