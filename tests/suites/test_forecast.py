"""`--plan` against sizes worked out by hand and against the paper's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from gpo.errors import ConfigError
from gpo.suites.forecast.forecast import SuitePlan, _hoist, lines, plan
from gpo.suites.forecast.paper_sizes import SIZES
from gpo.suites.forecast.sizes import RunSize, run_size
from gpo.suites.spec.grid import expand
from gpo.suites.spec.suite import Suite, load_suite
from tests.cli.gpo import gpo
from tests.suites.suites import ROWS, suite_data, write_suite

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
    # The mean over MMLU too, whose runs are those of its four groups.
    assert said.count("(as planned") == 9
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


def test_dollars_by_hand(tmp_path: Path) -> None:
    data = suite_data(URL)
    price = {"input": 1.0, "output": 2.0}
    for role in ("task", "optimizer"):
        data["models"]["land"][role]["price"] = price
    found = planned(write_suite(tmp_path, URL, models=data["models"]))
    cot = next(kind for kind in found.kinds if kind.method == "cot" and kind.task == "one")
    # Replies are expected to take a third of their 20 tokens, rounded down, at two dollars a million.
    assert cot.calls is not None
    assert cot.tokens is not None
    replies = 6 * cot.calls
    assert cot.usd == pytest.approx((cot.tokens - replies + 2 * replies) / 1e6)
    assert found.usd == pytest.approx(sum(kind.usd or 0 for kind in found.kinds))
    # Without prices dollars are unknown, and nothing else is.
    bare = planned(write_suite(tmp_path, URL, "bare.yaml"))
    assert (bare.usd, bare.calls) == (None, found.calls)


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
    assert told["gsm8k", "apo-original"].tokens is None
    assert found.tokens is None
    assert lines(found)[4].split()[-1] == "–"


CHAT = {"task": {"model": "t", "base_url": URL}}
BASE = {"task": {"model": "t", "base_url": URL, "chat": False}}


@pytest.fixture
def unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite on GSM8K, whose rows are not there; in `data` beside it they are."""
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
    sizes = {"train": 100, "dev": 100, "test": 300, "format": 5, "demos": 5}
    folder, first = tmp_path / "data" / "gsm8k", 0
    folder.mkdir(parents=True)
    for name, count in sizes.items():
        rows = [json.dumps({"input": f"How many are {n}?", "target": n}) for n in range(first, first + count)]
        (folder / f"{name}.jsonl").write_text("\n".join(rows) + "\n")
        first += count
    text = {
        "tasks": ["gsm8k"],
        "models": {"chat": CHAT, "base": BASE},
        "settings": {
            "I": {}, "I + D": {"task.demonstrations": 5}, "racing": {"evaluation": "racing"},
            "small": {"task.split": {"dev": 20, "test": 30}}, "one": {"task.answer.rounds": 1},
        },
        "methods": ["empty", "gpo", "ape", "apo", "pe2", "sgdm", "opro", "ape-original", "opro-original"],
        "seeds": 1,
        "table": {"columns": ["model", "setting"]},
    }  # fmt: skip
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(text))
    return tmp_path / "s.yaml"


def sized(suite: Suite, data_dir: Path | None) -> dict[tuple[str, str, str], RunSize]:
    """Every run of a suite by model, setting and method."""
    trials = expand(suite, data_dir)
    by_dir = {trial.run_dir: trial for trial in trials.trials}
    return {
        (slot.labels["model"], slot.labels["setting"], slot.labels["method"]): run_size(
            by_dir[slot.run_dir], trials.configs[slot.run_dir]
        )
        for slot in trials.slots
    }


def test_rows_that_are_not_here_make_as_many_calls_as_those_that_are(unread: Path) -> None:
    suite = load_suite(str(unread))
    outlined, read = sized(suite, None), sized(suite, unread.parent / "data")
    assert {size.tokens for size in outlined.values()} == {None}
    assert all(size.tokens for size in read.values())
    assert outlined == {key: replace(size, tokens=None) for key, size in read.items()}


def test_calls_of_rows_that_are_not_here_by_hand(unread: Path) -> None:
    calls = {key: size.calls for key, size in sized(load_suite(str(unread)), None).items()}
    # 39 steps of 8 candidates; dev for 1 + 312 prompts, test for two, a call for the candidates of each step.
    pairs = 100 * (1 + 39 * 8) + 2 * 300
    assert calls["chat", "I", "ape"] == 2 * pairs + 39
    # With demonstrations there is one round; a base model without them has two, like any other.
    assert calls["chat", "I + D", "ape"] == calls["base", "I + D", "ape"] == pairs + 39
    assert calls["base", "I", "ape"] == 2 * pairs + 39
    assert calls["chat", "one", "ape"] == pairs + 39
    # Reflection scores train once an epoch and takes a call a step, as a summary does.
    assert calls["chat", "I", "apo"] == calls["chat", "I", "pe2"] == 2 * (pairs + 3 * 100) + 2 * 39
    assert calls["chat", "I", "sgdm"] == 2 * pairs + 2 * 39
    assert calls["chat", "small", "empty"] == 2 * (20 + 30)
    raced, full = calls["chat", "racing", "ape"], calls["chat", "I", "ape"]
    assert raced is not None
    assert full is not None
    assert raced < 0.7 * full


def test_what_has_to_be_fetched_to_be_counted_is_unknown_and_not_fetched(tmp_path: Path) -> None:
    task = {"data": "hf:nobody/nothing", "answer": {"kind": "label", "labels": ["a", "b"]}}
    known = {**task, "label": "known", "split": {"train": 6, "dev": 8, "test": 10}}
    found = planned(write_suite(tmp_path, URL, tasks=[{**task, "label": "open"}, known], methods=["ape"]))
    told = {kind.task: kind for kind in found.kinds}
    assert (told["open"].steps, told["open"].dev, told["open"].calls) == (None, None, None)
    assert (told["known"].steps, told["known"].calls) == ((2, 2), 2 * (8 * 7 + 2 * 10 + 2))
    assert lines(found)[2].split()[3:] == ["–"] * 7
    assert found.calls is None


def test_dollars_that_are_capped_need_no_price_to_be_planned(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, URL)
    capped = write_suite(tmp_path, URL, name="capped.yaml", budget={"max_usd": 5})
    assert planned(capped).kinds == planned(suite).kinds


def test_an_equal_budget_of_tokens_is_planned(tmp_path: Path) -> None:
    whole = {kind.method: kind for kind in planned(write_suite(tmp_path, URL)).kinds if kind.task == "one"}
    budget = {"equal": True, "max_tokens": 10_000_000}
    path = write_suite(tmp_path, URL, budget=budget, name="t.yaml")
    assert planned(path).kinds == planned(write_suite(tmp_path, URL)).kinds

    # Room for the start prompt and for one step of two: tokens are those of the search, a run's half of its kind's.
    tokens = {name: kind.tokens or 0 for name, kind in whole.items()}
    budget["max_tokens"] = tokens["ape"] // 2 * 6 // 10
    found = {k.method: k for k in planned(write_suite(tmp_path, URL, budget=budget, name="t.yaml")).kinds}
    assert found["ape"].steps == (1, 1)
    assert found["ape"].calls == 2 * (8 + 25 + 2 * 10)
    assert (found["ape"].tokens or 0) < tokens["ape"]


def test_a_cap_above_what_a_task_has_takes_all_of_it(unread: Path) -> None:
    split = "split={train: 40, dev: 40, test: 100}"
    trials = expand(load_suite("table2", [split, "tasks=[bbh]", "methods=[ape]", "seeds=1"]))
    sizes = {
        slot.member: run_size(trial, trials.configs[trial.run_dir])
        for slot, trial in zip(trials.slots, trials.trials, strict=True)
    }
    told = {name: (size.train, size.dev, size.test) for name, size in sizes.items()}
    assert told["bbh/penguins_in_a_table"] == (27, 27, 82)
    assert told["bbh/causal_judgement"] == (35, 35, 100)
    assert told["bbh/navigate"] == (40, 40, 100)
    # So it is where the rows are there, and for a folder of one's own.
    data = unread.parent / "data"
    few = load_suite(str(unread), ["split={train: 40, dev: 400, test: 400}", "methods=[ape]"])
    assert {(size.train, size.dev) for size in sized(few, data).values()} == {(40, 100), (40, 20)}
    (trial,) = expand(load_suite(str(unread), ["tasks=[data/gsm8k]", "split.dev=400", "methods=[ape]", "settings={}",
                                              f"models={{m: {json.dumps(CHAT)}}}"])).trials  # fmt: skip
    assert trial.config["task"]["split"] == {"dev": 100}


def test_a_group_with_caps_of_its_own_is_planned_otherwise() -> None:
    found = planned("table2", "split={train: 24, dev: 24, test: 48}", "base.optimize.epochs=2")
    kind = found.kinds[0]
    assert (kind.steps, kind.dev, kind.test) == ((6, 6), (24, 24), (48, 48))
    assert any("(planned otherwise)" in line for line in lines(found))


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_the_command_plans_without_a_call_or_a_file(tmp_path: Path, more: tuple[str, ...]) -> None:
    done = gpo("bench", write_suite(tmp_path, URL), "--plan", *more, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ("" if more else "next     the same command without --plan runs it\n")
    assert not (tmp_path / "runs").exists()
    if more:
        assert json.loads(done.stdout)["runs"] == 12
    else:
        assert done.stdout.splitlines()[1].split() == [
            "task", "method", "runs", "steps", "candidates", "dev", "test", "calls", "tokens", "dollars",
        ]  # fmt: skip


def test_a_budget_that_no_search_can_begin_under_is_no_plan(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, URL, budget={"equal": True, "max_calls": ROWS["dev"] - 1})
    with pytest.raises(ConfigError, match="an equal budget of 7 calls does not cover scoring the start"):
        planned(suite)


def test_an_entry_whose_runs_are_all_shared_stands_in_the_plan(tmp_path: Path) -> None:
    again = {**suite_data(URL)["tasks"][0], "label": "again"}
    suite = write_suite(tmp_path, URL, tasks=[suite_data(URL)["tasks"][0], again], methods=["ape"])
    found = {kind.task: (kind.runs, kind.calls) for kind in planned(suite).kinds}
    assert found["one"][0] == 2
    assert found["again"] == (0, 0)


def test_columns_that_say_the_same_everywhere_are_told_once_unless_they_have_a_sum() -> None:
    table = [
        ["task", "method", "runs", "steps", "calls"],
        ["wsc", "gpo", "1", "3", "5000"],
        ["wsc", "ape", "1", "3", "5000"],
        ["in all", "", "2", "", "10000"],
    ]
    kept, told = _hoist(table)
    assert told == "the same in every row: task wsc, steps 3"
    assert [row[-1] for row in kept] == ["calls", "5000", "5000", "10000"]
    assert kept[-1][0] == "in all"
