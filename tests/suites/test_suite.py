"""What a suite's file may say, the trials that it makes, and the one line that says what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpo.errors import ConfigError
from gpo.suites.execution.pool import InProcessExecutor
from gpo.suites.execution.runner import run_trials
from gpo.suites.spec.grid import Grid, expand
from gpo.suites.spec.suite import builtin_names, load_suite
from tests.suites.suites import grid_of, write_suite

URL = "http://127.0.0.1:1/v1"
HEAD = "models: {m: {task: {model: x}}}\nmethods: [gpo]\ntasks: [gpo/navigate]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "sedes: 3\n", "4: unknown key sedes: did you mean seeds?"),
        (HEAD + "table:\n  row: method\n", "5: unknown key table.row: did you mean table.rows?"),
        (HEAD + "budget: {equal: true}\n", "4: budget: an equal budget needs max_calls or max_tokens"),
        ("tasks: [a]\nmodels: {}\nmethods: [gpo]\n", "2: models: must have at least one entry"),
        (HEAD + "seeds: [1, 1]\n", "4: seeds: a seed stands twice"),
        (HEAD + "seeds: 20240607\n", "4: seeds: a number says how many, at most 1000; name single ones in a list"),
        (HEAD + "base:\n  optimize:\n    epoch: 1\n", "6: unknown key optimize.epoch: did you mean optimize.epochs?"),
        (HEAD.replace("[gpo]", "[cot]") + "settings:\n  a: {models: 3}\n", "5: models: input should be"),
        (HEAD + "settings:\n  a: {task.positon: x}\n", "5: unknown key task.positon: did you mean task.position?"),
        (HEAD.replace("model: x", "modle: x"), "1: unknown key models.task.modle: did you mean models.task.model?"),
        (HEAD.replace("[gpo]", "[gop]"), "2: methods: there is no 'gop'; there are gpo, "),
        (HEAD.replace("[gpo]", "[{trajektory: none}]"), "2: methods: unknown key 'trajektory'; a method has direction"),
        (HEAD.replace("[gpo]", "[{direction: [prompt, nonsense]}]"), "2: methods: direction has no option 'nonsense'"),
        (HEAD.replace("[gpo]", "[gpo, gpo]"), "2: methods: 'gpo' stands twice; give one of them a label"),
        (HEAD.replace("[gpo/navigate]", "[{label: a}]"), "3: tasks: an entry needs data"),
        (HEAD.replace("gpo/navigate", "bbh/navigat"), "3: tasks: no benchmark is called 'bbh/navigat'; did you mean"),
        (HEAD + "name: ../escape\n", "4: name: letters, digits"),
        (HEAD + "seeds: [-1]\n", "4: seeds.0: input should be greater than or equal to 0"),
        (HEAD + "seeds: [true, false]\n", "4: seeds: must have numbers, not true or false"),
        (HEAD + "seeds: 0\n", "4: seeds: must have at least one entry"),
        (HEAD.replace("[gpo]", "gpo"), "2: methods: must be a list in brackets, such as [a, b], not 'gpo'"),
        (HEAD.replace("[gpo]", "[{}]"), "2: methods: an entry names a method or some of direction"),
        (HEAD.replace("model: x", "max_tokens: 8"), "1: the key models.task.model is missing"),
        (HEAD + "base: {seed: 3}\n", "4: base.seed: in a suite that stands in seeds"),
        (HEAD + "settings:\n  a: {method: opro}\n", "5: settings.a.method: in a suite that stands in methods"),
        (HEAD + "table: {rows: task, columns: [task]}\n", "4: table: task stands twice among rows and columns"),
        (HEAD + "table: {columns: []}\n", "4: table.columns: must have at least one entry"),
        (
            HEAD.replace("[gpo/navigate]", "[{data: gpo/navigate, label: Average}]") + "table: {average: true}\n",
            "4: table.average: a task is called Average as the column of the mean; give it another label",
        ),
        (HEAD.replace("[gpo]", "[{trajectory: []}]"), "2: methods: trajectory has no option; name one or more"),
        (HEAD.replace("model: x}", "model: x}, settings: []"), "1: models.m.settings: must have at least one entry"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        grid_of(path)
    assert str(error.value).startswith(f"{path}:{said}")
    assert "\n" not in str(error.value)


def test_an_override_reaches_names_that_hold_dots() -> None:
    name = "GPT-3.5-turbo / Llama-2-7b-chat"
    found = load_suite(
        "table5", [f"models.{name}.task.model=local/a", f"models.{name}.optimizer={{model: b.c}}"]
    )
    assert set(found.config.models) == {name}
    assert found.config.models[name].task["model"] == "local/a"
    assert found.config.models[name].task["base_url"] == "http://localhost:8000/v1"
    assert found.config.models[name].optimizer == {"model": "b.c"}
    found = load_suite("table6", ["settings.I + D.task.demonstrations=3", "base.optimize.epochs=1"])
    assert found.config.settings["I + D"] == {"task.demonstrations": 3}
    assert found.config.base == {"optimize": {"epochs": 1}}
    with pytest.raises(ConfigError, match=r"^--set models\.\.x=.*: must look like key\.path=value"):
        load_suite("table5", ["models..x=1"])


def test_of_names_that_begin_alike_the_longest_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(HEAD.replace("m: {task: {model: x}}", "m: {task: {model: x}}, m.5: {task: {model: y}}"))
    found = load_suite(str(path), ["models.m.5.task.model=z", "models.m.task.model=w"])
    assert {name: pair.task["model"] for name, pair in found.config.models.items()} == {"m": "w", "m.5": "z"}


def test_a_suite_that_makes_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the suite makes no run"):
        run_trials(
            Grid(slots=(), trials=(), configs={}), tmp_path, InProcessExecutor(tmp_path), only="x", told=print
        )


def test_a_suite_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"^nowhere\.yaml: no suite can be read there .*figure1, .*table7"):
        load_suite("nowhere.yaml")


def test_every_combination_is_a_cell_and_the_fixed_prompts_are_shared_by_optimizers(tmp_path: Path) -> None:
    pair = {"task": {"model": "t", "base_url": URL}}
    models = {name: {**pair, "optimizer": {"model": name, "base_url": URL}} for name in ("a", "b")}
    trials = grid_of(write_suite(tmp_path, URL, models=models, methods=["empty", "ape"], seeds=3))
    # 2 tasks × 3 seeds × 2 optimizers × 2 methods are 24 places; the 12 of `empty` need 6 runs.
    assert (len(trials.slots), len(trials.trials)) == (24, 18)


def test_settings_are_laid_over_and_only_where_a_model_takes_them(tmp_path: Path) -> None:
    model = {"task": {"model": "t", "base_url": URL}}
    models = {"both": model, "one": {**model, "task": {"model": "u", "base_url": URL}, "settings": ["shown"]}}
    settings: dict[str, Any] = {"plain": None, "shown": {"task.demonstrations": 3, "prompt": "Go."}}
    trials = grid_of(write_suite(tmp_path, URL, models=models, settings=settings, methods=["ape"], seeds=1))
    told = {
        (slot.labels["model"], slot.labels["setting"]): trials.configs[slot.run_dir] for slot in trials.slots
    }
    assert set(told) == {("both", "plain"), ("both", "shown"), ("one", "shown")}
    assert told["both", "plain"].task.demonstrations == 0
    assert told["one", "shown"].task.demonstrations == 3
    assert told["one", "shown"].prompt == "Go."
    assert told["both", "plain"].task.answer.labels == ("left", "right")


def test_a_model_in_both_roles_samples_prompts_its_own_way(tmp_path: Path) -> None:
    models = {"m": {"task": {"model": "t", "base_url": URL, "max_tokens": 7, "temperature": 0.5}}}
    (first, *_) = grid_of(write_suite(tmp_path, URL, models=models)).configs.values()
    trials = grid_of(write_suite(tmp_path, URL, models=models, methods=["ape"]))
    optimizer = next(iter(trials.configs.values())).models.optimizer
    assert (optimizer.temperature, optimizer.max_tokens) == (1.0, 512)
    assert first.models.task.max_tokens == 7


def test_racing_is_for_methods_that_can_race(tmp_path: Path) -> None:
    base = {"evaluation": "racing"}
    suite = write_suite(tmp_path, URL, base=base, methods=["cot", "ape", "ape-original"], seeds=1)
    trials = grid_of(suite)
    told = {slot.labels["method"]: trials.configs[slot.run_dir].evaluation for slot in trials.slots}
    assert told == {"cot": "full", "ape": "racing", "ape-original": "full"}


def test_options_of_parts_multiply(tmp_path: Path) -> None:
    grid = {
        "direction": ["prompt", "prompt+performance"],
        "trajectory": "none",
        "edit_distance": ["none", "fixed"],
    }
    trials = grid_of(write_suite(tmp_path, URL, methods=[grid, {**grid, "label": "again"}], seeds=1))
    labels = list(dict.fromkeys(slot.labels["method"] for slot in trials.slots))
    assert labels[:4] == ["P, none", "P, fixed", "P+M, none", "P+M, fixed"]
    assert labels[4] == "again, P, none"
    # The same parts under another name are the same runs.
    assert len(trials.trials) == 2 * 4
    assert {slot.labels["edit_distance"] for slot in trials.slots} == {"none", "fixed"}


def test_a_directory_is_named_by_what_can_change_the_result_and_by_nothing_else(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, URL)
    before = {trial.run_dir for trial in grid_of(suite).trials}
    assert all(name.startswith(("one-", "two-")) for name in before)

    more = write_suite(tmp_path, URL, methods=["opro", "cot", "apo", "ape"], seeds=[1, 0, 2])
    assert before < {trial.run_dir for trial in grid_of(more).trials}
    harmless = ("models.land.task.concurrency=2", "models.land.optimizer.timeout=9", "title=Other")

    suite = write_suite(tmp_path, URL)
    assert {trial.run_dir for trial in grid_of(suite, *harmless).trials} == before
    other = {trial.run_dir for trial in grid_of(suite, "base.optimize.candidates=4").trials}
    assert before & other == {name for name in before if "-cot-" in name}


def test_other_rows_under_the_same_name_are_another_run(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, URL)
    before = {trial.run_dir for trial in grid_of(suite).trials}
    test = tmp_path / "one" / "test.jsonl"
    test.write_text("".join(test.read_text().splitlines(keepends=True)[1:]))
    after = {trial.run_dir for trial in grid_of(suite).trials}
    assert {name.split("-")[0] for name in before - after} == {"one"}
    assert {name.split("-")[0] for name in before & after} == {"two"}


def test_an_answer_kind_that_a_builtin_task_brings_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(HEAD)
    (trial, *_) = grid_of(path).trials
    assert "answer" not in trial.config["task"]


def test_every_suite_of_the_paper_can_be_read_and_has_its_runs() -> None:
    # Runs with three seeds; bbh-lite has 4 tasks, the fixed prompts of Table 7 are shared by its two optimizers.
    runs = {
        "table2": 3 * 4 * 3 * 10,
        "table3": 3 * 4 * 3 * 14,
        "table6": 3 * 4 * 6 * 8,
        "table7": 3 * 4 * (10 * 6 + 5 * 2),
        "figure3": 3 * 6,
    }
    for name in builtin_names():
        suite = load_suite(name)
        trials = expand(suite)
        assert suite.config.seeds == (0, 1, 2)
        assert len(trials.trials) == runs.get(name, len(trials.trials))
    assert set(builtin_names()) >= {"table2", "table3", "table5", "table6", "table7", "figure1", "figure3"}


def test_a_group_is_cut_to_what_the_data_folder_has(tmp_path: Path) -> None:
    for task in ("navigate", "word_sorting"):
        (tmp_path / "data" / "bbh" / task).mkdir(parents=True)
        (tmp_path / "data" / "bbh" / task / "train.jsonl").write_text('{"input": "a", "target": "b"}\n')
    trials = expand(load_suite("table2"), tmp_path / "data")
    assert {slot.member for slot in trials.slots} == {"bbh/navigate", "bbh/word_sorting"}
    with pytest.raises(ConfigError, match=r"has none of the 4 tasks of bbh-lite"):
        expand(load_suite("table2"), tmp_path)
