"""Benchmarks by name: the catalogue, the rows of a data folder, defaults, and every published target as a reply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from gpo.api import evaluate
from gpo.config.task import AnswerKind, TaskConfig
from gpo.errors import ConfigError
from gpo.paths import data_dir
from gpo.task import benchmarks
from gpo.task.task import Task

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
needs_data = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the shared benchmark data is not beside this checkout"
)
HELD = benchmarks.list_present(SHARED)
SPLITS = ("train", "dev", "test", "format", "demos")

# Published items whose target is none of the options that they list: "split:row" as the example's id has it.
FAULTY = {("bbh/movie_recommendation", "test:58")}


def made(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    """A data folder with `rows` of one benchmark, a third of them a split."""
    place = folder / name
    place.mkdir(parents=True)
    third = len(rows) // 3
    for number, split in enumerate(("train", "dev", "test")):
        lines = [json.dumps(row) + "\n" for row in rows[number * third : (number + 1) * third]]
        (place / f"{split}.jsonl").write_text("".join(lines), "utf-8")
    return folder


def sums(count: int = 36) -> list[dict[str, Any]]:
    return [{"input": f"What is {n} + {n}?", "target": 2 * n} for n in range(count)]


def load(data: str, folder: Path | None, base_dir: Path = Path(), **keys: Any) -> Task:
    return Task.from_config(TaskConfig(data=data, **keys), seed=0, base_dir=base_dir, data_dir=folder)


# The catalogue


def test_groups_of_the_paper() -> None:
    groups = benchmarks.list_groups()
    assert benchmarks.expand("bbh-lite") == (
        "bbh/navigate",
        "bbh/movie_recommendation",
        "bbh/object_counting",
        "bbh/word_sorting",
    )
    sizes = {name: len(members) for name, members in groups.items()}
    assert sizes == {
        "bbh": 27,
        "bbh-lite": 4,
        "mmlu": 57,
        "mmlu/stem": 19,
        "mmlu/humanities": 13,
        "mmlu/social_sciences": 12,
        "mmlu/other": 13,
    }
    parts = [subject for name in groups if name.startswith("mmlu/") for subject in groups[name]]
    assert sorted(parts) == sorted(benchmarks.expand("mmlu"))
    assert "mmlu/anatomy" in groups["mmlu/stem"]
    assert benchmarks.expand("gsm8k") == ("gsm8k",)
    assert benchmarks.expand("bbh/navigate") == ("bbh/navigate",)


# Table 5, MMLU: STEM, humanities, social science, other, average.
TABLE_5 = {
    "Empty": (31.05, 36.54, 41.75, 37.20, 35.96),
    "CoT": (32.53, 37.05, 41.05, 36.94, 36.36),
    "SGDM": (32.88, 38.36, 41.88, 38.02, 37.20),
    "APE": (33.51, 38.69, 42.02, 37.96, 37.50),
    "APO": (33.17, 37.94, 44.94, 38.23, 37.71),
    "OPRO": (34.76, 38.72, 43.55, 37.11, 38.05),
    "PE2": (33.77, 37.95, 44.80, 38.25, 38.07),
    "GPO": (35.00, 38.84, 46.61, 38.60, 39.14),
}


def test_the_averages_of_table_5_are_those_of_the_groups_of_mmlu() -> None:
    names = ("mmlu/stem", "mmlu/humanities", "mmlu/social_sciences", "mmlu/other")
    sizes = [len(benchmarks.list_groups()[name]) for name in names]
    off = {
        method: abs(sum(size * value for size, value in zip(sizes, values, strict=False)) / 57 - values[4])
        for method, values in TABLE_5.items()
    }
    # APO's row comes out with no sizes (0.18 off); the others do to what two digits leave open.
    assert [method for method, value in off.items() if value > 0.005] == ["APO"], off


@pytest.mark.parametrize("name", benchmarks.list_names())
def test_every_entry_is_whole(name: str) -> None:
    found = benchmarks.find(name)
    assert found.name == name
    assert found.answer["kind"] in get_args(AnswerKind)
    assert list(found.sizes) == list(SPLITS)
    assert found.description.endswith(".")
    assert len(found.description) < 80
    assert found.licence
    assert "/" in found.home.repo
    # Only these two have no commit to name; their files say why.
    assert found.home.pinned is (name not in ("wsc", "webnlg"))
    task = TaskConfig.model_validate({"data": name, **found.defaults()})
    assert task.answer.rounds == (1 if name == "webnlg" else 2)


def test_sizes_of_the_paper() -> None:
    sizes = {name: tuple(benchmarks.find(name).sizes.values()) for name in benchmarks.list_names()}
    assert sizes["bbh/navigate"] == (48, 48, 144, 5, 5)
    assert sizes["bbh/causal_judgement"] == (35, 35, 107, 5, 5)
    assert sizes["mmlu/astronomy"] == (20, 20, 60, 5, 4)
    assert sizes["mmlu/abstract_algebra"] == (20, 20, 59, 5, 4)
    assert sizes["gsm8k"] == sizes["webnlg"] == (100, 100, 300, 5, 5)
    assert sizes["wsc"] == (50, 50, 150, 10, 10)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bbh-lite", ["group of 4 tasks", "bbh/navigate", "bbh/word_sorting", "gpo bench"]),
        ("bbh", ["group of 27 tasks", "bbh/boolean_expressions", "22 more", "gpo tasks list"]),
        ("mmlu/stem", ["group of 19 tasks", "mmlu/astronomy"]),
        ("bbh/navigat", ["'bbh/navigat'", "did you mean bbh/navigate"]),
        ("mmlu/quantum_field_theory", ["quantum_field_theory", "there are: mmlu/abstract_algebra"]),
        ("gsm8k/x", ["'gsm8k/x'", "gsm8k"]),
    ],
)
def test_a_name_that_is_no_single_task_is_one_line(name: str, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(name, tmp_path)
    message = str(caught.value)
    assert message.startswith("task.data: ")
    assert all(word in message for word in words), message
    assert "\n" not in message
    assert len(message) < 300


# Rows and defaults


def test_a_benchmark_brings_its_defaults_and_own_keys_win(tmp_path: Path) -> None:
    folder = made(tmp_path, "gsm8k", sums())
    task = load("gsm8k", folder)
    assert task.name == "gsm8k"
    assert (task.rounds, task.metric.name, task.second_round_tokens) == (2, "accuracy", 100)
    assert [len(task.examples(split)) for split in SPLITS] == [12, 12, 12, 0, 0]
    assert task.score("So it is 3 + 3 = 6.", task.splits.train[3]) == 1.0
    own = load("gsm8k", folder, answer={"kind": "text", "rounds": 1}, metric="rouge_l", split={"test": 5})
    assert (own.rounds, own.metric.name, len(own.splits.test)) == (1, "rouge_l", 5)
    partly = load("gsm8k", folder, answer={"rounds": 1})
    assert partly.rounds == 1
    assert partly.answer.form == "a number"


def test_overlap_is_allowed_only_where_it_is_published(tmp_path: Path) -> None:
    rows = [{"input": f"Is {n} even?", "target": "Yes" if n % 2 == 0 else "No"} for n in range(36)]
    rows[35] = dict(rows[0])
    folder = made(tmp_path, "bbh/causal_judgement", rows)
    made(tmp_path, "bbh/navigate", rows)
    assert len(load("bbh/causal_judgement", folder).splits.test) == 12
    with pytest.raises(ConfigError, match="has the same input as"):
        load("bbh/navigate", folder)
    with pytest.raises(ConfigError, match="has the same input as"):
        load("bbh/causal_judgement", folder, allow_overlap=False)


def test_webnlg_is_asked_in_one_round_and_takes_the_best_reference_by_stems(tmp_path: Path) -> None:
    rows = [
        {"input": f"Triples:\nA{n} | is | B", "target": [f"A{n} is B.", f"B is what A{n} is."]}
        for n in range(36)
    ]
    task = load("webnlg", made(tmp_path, "webnlg", rows))
    assert task.rounds == 1
    assert task.score("B is what A0 is.", task.splits.train[0]) == 1.0
    two = load("webnlg", tmp_path, answer={"rounds": 2, "second_round_tokens": 60})
    assert (two.rounds, two.second_round_tokens) == (2, 60)
    assert load("gsm8k", made(tmp_path, "gsm8k", sums())).rounds == 2


def test_a_folder_beside_the_configuration_counts_unless_another_is_named(tmp_path: Path) -> None:
    beside = made(tmp_path / "beside", "gsm8k", sums())
    other = made(tmp_path / "other", "gsm8k", sums(60))
    assert len(load("gsm8k", None, base_dir=beside).splits.train) == 12
    assert len(load("gsm8k", other, base_dir=beside).splits.train) == 20


def test_python_takes_the_folder_from_the_call_or_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path, "gsm8k", sums())

    def model(prompt: str) -> str:
        return "48"

    monkeypatch.delenv("GPO_DATA_DIR", raising=False)
    named = evaluate("gsm8k", "Compute.", model=model, data_dir=folder)
    assert named.examples == 12
    assert named.interval.mean == pytest.approx(1 / 12)  # of 24 + 24 to 35 + 35, one is 48
    monkeypatch.setenv("GPO_DATA_DIR", str(folder))
    assert evaluate("gsm8k", "Compute.", model=model).interval.mean == named.interval.mean


def test_the_environment_names_a_data_folder() -> None:
    assert data_dir({}) is None
    assert data_dir({"GPO_DATA_DIR": ""}) is None
    assert data_dir({"GPO_DATA_DIR": "~/rows"}) == Path.home() / "rows"


def test_a_data_folder_without_the_benchmark_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no folder bbh/snarks with train\.jsonl.*--data-dir"):
        load("bbh/snarks", tmp_path)
    with pytest.raises(ConfigError, match=r"--data-dir \(GPO_DATA_DIR\): there is no folder .*nowhere"):
        load("bbh/snarks", tmp_path / "nowhere")
    assert benchmarks.list_present(made(tmp_path, "bbh/snarks", sums())) == ("bbh/snarks",)


# The published items


@needs_data
def test_what_the_shared_folder_holds() -> None:
    assert len([name for name in HELD if name.startswith("bbh/")]) == 21
    assert len([name for name in HELD if name.startswith("mmlu/")]) == 38
    assert {"gsm8k", "wsc", "webnlg"} <= set(HELD)


@needs_data
@pytest.mark.parametrize("name", HELD)
def test_every_published_target_is_read_as_itself(name: str) -> None:
    task = load(name, SHARED)
    found = benchmarks.find(name)
    assert {split: len(task.examples(split)) for split in SPLITS} == dict(found.sizes)
    faulty = {example for benchmark, example in FAULTY if benchmark == name}
    assert len(task.warnings) == len(faulty)
    for split in SPLITS:
        for example in task.examples(split):
            references = example.target if isinstance(example.target, tuple) else (example.target,)
            targets = [task.answer.normal(reference, example.input) for reference in references]
            for reference in references:
                assert task.score(str(reference), example) == 1.0, example.source
                # Not only word for word, but through the reader of the benchmark's kind.
                read = task.answer.read(str(reference), example.input)
                right = read is not None and task.metric(read, targets, example) == 1.0
                assert right is (example.id not in faulty), example.source
