"""Which runs of a suite are one run, and what their files decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpo.errors import ConfigError
from gpo.suites.spec.grid import expand
from gpo.suites.spec.suite import load_suite
from gpo.suites.tables.report import report, show
from tests.suites.suites import ROWS, bench, grid_of, write_suite, write_tasks
from tests.support.landscape import Landscape
from tests.support.server import ModelServer

URL = "http://127.0.0.1:1/v1"


def names(path: Path, *overrides: str) -> set[str]:
    return {trial.run_dir for trial in grid_of(path, *overrides).trials}


def test_settings_that_differ_in_their_budget_alone_are_runs_of_their_own(tmp_path: Path) -> None:
    one: dict[str, Any] = {"tasks": [{"data": "one"}], "seeds": 1, "methods": ["cot", "ape"]}
    settings: dict[str, Any] = {"little": {"budget.max_calls": 20}, "much": {"budget": {"max_calls": 200}}}
    trials = grid_of(write_suite(tmp_path, URL, settings=settings, **one))
    told = {
        (slot.labels["method"], slot.labels["setting"]): (
            slot.run_dir,
            trials.configs[slot.run_dir].budget.max_calls,
        )
        for slot in trials.slots
    }
    assert told["ape", "little"][1] == 20
    assert told["ape", "much"][1] == 200
    # Nothing is searched by a fixed prompt.
    assert told["cot", "little"] == told["cot", "much"]
    # A setting without a budget of its own is the run that it was without settings.
    plain = write_suite(tmp_path, URL, settings={**settings, "plain": None}, **one)
    assert names(write_suite(tmp_path, URL, **one)) <= names(plain)


def test_a_setting_s_budget_is_laid_over_the_suite_s(tmp_path: Path) -> None:
    settings = {"little": {"budget.max_calls": 20}, "plain": None}
    trials = grid_of(
        write_suite(tmp_path, URL, settings=settings, budget={"max_calls": 100}, methods=["ape"])
    )
    told = {slot.labels["setting"]: trials.configs[slot.run_dir].budget.max_calls for slot in trials.slots}
    assert told == {"little": 20, "plain": 100}


def test_a_raised_budget_of_the_suite_goes_on_in_the_same_folder(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, URL, budget={"max_calls": 100})
    assert names(suite) == names(suite, "budget.max_calls=200")


def test_another_password_in_an_address_makes_no_other_run(tmp_path: Path) -> None:
    one, other, elsewhere = (
        f"http://me:{word}@127.0.0.1:{port}/v1" for word, port in (("a", 1), ("b", 1), ("a", 2))
    )
    assert names(write_suite(tmp_path, one)) == names(write_suite(tmp_path, other))
    assert names(write_suite(tmp_path, one)) != names(write_suite(tmp_path, elsewhere))


def test_another_equal_budget_makes_other_searches(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, URL, budget={"equal": True, "max_calls": 100}, methods=["cot", "ape"])
    for override in ("budget.max_calls=200", "budget.max_tokens=9000"):
        assert {name.split("-")[1] for name in names(suite) & names(suite, override)} == {"cot"}


def test_the_suite_runs_each_budget_of_its_settings(
    tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = Landscape().answer
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
    settings = {"little": {"budget.max_calls": 20}, "much": {"budget.max_calls": 60}}
    suite = write_suite(
        tmp_path,
        server.base_url,
        tasks=[{"data": "one", "answer": {"kind": "label", "labels": ["left", "right"]}}],
        settings=settings,
        methods=["ape"],
        seeds=1,
        table={"columns": "setting"},
    )
    table, _ = bench(suite, tmp_path / "out")
    asked = [table.entry("ape", (name,)).calls for name in settings]
    assert asked[0] is not None
    assert asked[1] is not None
    assert asked[0] <= 20 < asked[1] <= 60


def test_rows_in_the_home_folder_are_part_of_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    write_tasks(tmp_path / "me", "far")
    suite = write_suite(tmp_path, URL, tasks=[{"data": "~/far"}], methods=["ape"], seeds=1)
    before = names(suite)
    with (tmp_path / "me" / "far" / "test.jsonl").open("a") as file:
        file.write('{"input": "one more", "target": "left"}\n')
    assert not before & names(suite)

    files = {split: f"~/far/{split}.jsonl" for split in ROWS}
    suite = write_suite(tmp_path, URL, tasks=[{"data": files, "label": "far"}], methods=["ape"], seeds=1)
    before = names(suite)
    (tmp_path / "me" / "far" / "dev.jsonl").write_text('{"input": "another", "target": "left"}\n')
    assert not before & names(suite)


@pytest.mark.parametrize("data", ["~nobody-of-this-name/rows", "a\0b"])
@pytest.mark.parametrize("beside", [True, False])
def test_names_that_no_file_can_have_are_named_all_the_same(
    data: str, beside: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = write_suite(tmp_path, URL, tasks=[{"data": data}], split={"train": 3}, seeds=1, methods=["ape"])
    trials = expand(load_suite(str(suite)), None if beside else tmp_path)
    assert [config.task.split for config in trials.configs.values()] == [{"train": 3}]


@pytest.mark.parametrize("module", ["own_metric", "own_package.metric", "own_package"])
def test_an_own_metric_that_is_edited_makes_other_runs(tmp_path: Path, module: str) -> None:
    code = "def near(prediction, target):\n    return 1.0\n"
    (tmp_path / "own_package").mkdir()
    files = {
        "own_metric": tmp_path / "own_metric.py",
        "own_package": tmp_path / "own_package" / "__init__.py",
        "own_package.metric": tmp_path / "own_package" / "metric.py",
    }
    for file in files.values():
        file.write_text(code)
    tasks = [{"data": "one", "metric": f"{module}:near"}]
    suite = write_suite(tmp_path, URL, tasks=tasks, methods=["ape"], seeds=1)
    before = names(suite)
    assert names(suite) == before
    files[module].write_text(code.replace("1.0", "0.5"))
    assert not before & names(suite)


def test_a_metric_that_is_nowhere_is_no_error_of_the_name(tmp_path: Path) -> None:
    tasks = [{"data": "one", "metric": "nowhere.at.all:near"}]
    assert names(write_suite(tmp_path, URL, tasks=tasks, methods=["ape"], seeds=1))


def test_own_templates_that_are_edited_make_other_runs(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "reflection.jinja").write_text("What is wrong?")
    base = {"optimize": {"meta_prompt": "texts"}}
    suite = write_suite(tmp_path, URL, base=base, methods=["cot", "ape"], seeds=1)
    before = names(suite)
    (tmp_path / "texts" / "reflection.jinja").write_text("What went wrong?")
    assert {name.split("-")[1] for name in before & names(suite)} == {"cot"}


def test_a_group_of_which_tasks_are_missing_is_said_beside_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    for task in ("navigate", "word_sorting"):
        (tmp_path / "data" / "bbh" / task).mkdir(parents=True)
        (tmp_path / "data" / "bbh" / task / "train.jsonl").write_text('{"input": "a", "target": "b"}\n')
    suite = load_suite("table2")
    trials = expand(suite, tmp_path / "data")
    (note,) = trials.notes
    assert "is the mean of 2 of its 4 tasks" in note
    assert "bbh/" in note.split("has no rows of")[1]
    assert "bbh/navigate" not in note

    table = report(suite.config, trials, tmp_path / "out")
    page = (tmp_path / "out" / "table.md").read_text()
    assert "is the mean of 2 of its 4 tasks" in page
    show(table, {}, tmp_path / "out", Console(width=300))
    assert "is the mean of 2 of its 4 tasks" in capsys.readouterr().out
    assert expand(suite).notes == ()


def test_files_that_hold_no_rows_change_no_name(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, URL)
    before = names(suite)
    (tmp_path / "one" / "README.md").write_text("notes")
    assert names(suite) == before
    (tmp_path / "one" / "train.jsonl").rename(tmp_path / "one" / "old.jsonl")
    (tmp_path / "one" / "validation.jsonl").write_text((tmp_path / "one" / "dev.jsonl").read_text())
    (tmp_path / "one" / "dev.jsonl").unlink()
    assert names(suite) != before


def splits(path: Path) -> list[dict[str, float]]:
    return [
        {str(name): rows for name, rows in (config.task.split or {}).items()}
        for config in grid_of(path).configs.values()
    ]


def test_caps_take_rows_away_and_add_none(tmp_path: Path) -> None:
    caps: dict[str, Any] = {"seeds": 1, "methods": ["cot"], "split": {"dev": 30, "test": 5}}
    files = {split: f"one/{split}.jsonl" for split in ROWS}
    assert ROWS["dev"] < 30
    found = splits(write_suite(tmp_path, URL, tasks=[{"data": "one"}], **caps))
    assert found == splits(write_suite(tmp_path, URL, tasks=[{"data": files, "label": "x"}], **caps))
    assert (found[0]["dev"], found[0]["test"]) == (ROWS["dev"], 5)
    own = {"data": "one", "split": {"dev": 3}}
    (split,) = splits(write_suite(tmp_path, URL, tasks=[own], **caps))
    assert (split["dev"], split["test"]) == (3, 5)


def test_gpo_is_no_baseline_under_another_label_either(tmp_path: Path) -> None:
    methods: list[Any] = ["ape", {"name": "gpo", "label": "Ours"}]
    table: dict[str, Any] = {"methods": methods, "table": {}}
    assert load_suite(str(write_suite(tmp_path, URL, **table))).config.table.ours == "Ours"
    named = load_suite(str(write_suite(tmp_path, URL, methods=methods, table={"ours": "ape"})))
    assert named.config.table.ours == "ape"
    notes = grid_of(write_suite(tmp_path, URL, methods=methods, table={"ours": "gpooo"})).notes
    assert notes == ("table.ours: there is no row gpooo, so each of ape, Ours may be the best baseline",)


def test_a_key_that_is_not_set_is_said_once_and_before_any_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    suite = write_suite(tmp_path, URL, models={"m": {"task": {"model": "openai/x"}}})
    with pytest.raises(ConfigError, match=r"models\.task\.api_key_env: .* OPENAI_API_KEY is not set"):
        bench(suite, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))
