"""Tasks of lm-evaluation-harness: rows and targets are the harness's own, and what would be code is a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.integrations.lm_eval import read_task, task_from_yaml

LETTERS = """
task: letters
dataset_path: cais/none
output_type: multiple_choice
test_split: test
doc_to_text: "{{question.strip()}}\\nA. {{choices[0]}}\\nB. {{choices[1]}}\\nAnswer:"
doc_to_choice: ["A", "B"]
doc_to_target: answer
"""
LABELS = """
task: entail
output_type: multiple_choice
doc_to_text: "{{premise}}\\nQuestion: {{hypothesis}} True or False?\\nAnswer:"
doc_to_choice: {no: "False", yes: " True"}
doc_to_target: "{{label}}"
description: "Decide what follows.\\n\\n"
"""
VARIED = """
task: varied
output_type: multiple_choice
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_choice: "{{choices}}"
doc_to_target: "{{choices.index(right)}}"
"""
NUMBERS = """
include: base.yaml
task: sums
doc_to_text: "Q: {{question | regex_replace('  +', ' ')}}\\nA:"
doc_to_target: "{{answer}}"
metric_list:
  - metric: exact_match
    regexes_to_ignore: [",", "(?s).*#### "]
filter_list:
  - name: strict
    filter: [{function: regex, regex_pattern: "#### (.*)"}]
"""
DOCS = [
    {
        "question": f"  How  many {n}? ",
        "premise": f"It is {n}.",
        "hypothesis": f"{n} it is.",
        "choices": [f"one {n}", f"two {n}"],
        "right": f"two {n}" if n % 3 else f"one {n}",
        "answer": n % 2,
        "label": n % 2,
    }
    for n in range(40)
]


def write(folder: Path, text: str, docs: list[dict[str, Any]] = DOCS) -> Path:
    (folder / "docs.jsonl").write_text("".join(json.dumps(doc) + "\n" for doc in docs))
    (folder / "base.yaml").write_text("output_type: generate_until\ntask: base\nnum_fewshot: 5\n")
    (folder / "task.yaml").write_text(text)
    return folder / "task.yaml"


def read(folder: Path, text: str, docs: list[dict[str, Any]] = DOCS) -> Any:
    return read_task(write(folder, text, docs), "docs.jsonl")


def test_letters_labels_and_choices_of_a_row(tmp_path: Path) -> None:
    found = read(tmp_path, LETTERS)
    assert (found.name, found.answer) == ("letters", {"kind": "choice"})
    assert found.rows["rows"][1] == {
        "id": "rows:2",
        "input": "How  many 1?\nA. one 1\nB. two 1\nAnswer:",
        "target": "B",
    }
    found = read(tmp_path, LABELS)
    assert found.answer == {"kind": "label", "labels": ["False", "True"]}
    assert [row["target"] for row in found.rows["rows"][:2]] == ["False", "True"]
    assert found.prompt == "Decide what follows."
    found = read(tmp_path, VARIED)
    assert found.rows["rows"][1]["input"] == "Question:   How  many 1?\n(A) one 1\n(B) two 1"
    assert [row["target"] for row in found.rows["rows"][:4]] == ["A", "B", "B", "A"]
    assert "listed below its question" in found.notes[0]


def test_numbers_are_read_as_numbers_and_includes_are_followed(tmp_path: Path) -> None:
    docs = [{"question": "1  +  1", "answer": f"So it is\n#### 1,{n:03}"} for n in range(30)]
    found = read(tmp_path, NUMBERS, docs)
    assert found.answer == {"kind": "number"}
    assert found.rows["rows"][7]["input"] == "Q: 1 + 1\nA:"
    assert found.rows["rows"][7]["target"] == "1007"
    assert any("filter_list is not taken" in line for line in found.notes)
    assert any("num_fewshot: 5 is not taken" in line for line in found.notes)


SOLVED = """
task: solved
output_type: generate_until
doc_to_text: question
doc_to_target: right
metric_list:
  - metric: exact_match
    regexes_to_ignore: ["one "]
"""


def test_what_is_ignored_in_texts_is_a_note(tmp_path: Path) -> None:
    found = read(tmp_path, SOLVED)
    assert [row["target"] for row in found.rows["rows"][:2]] == ["0", "two 1"]
    assert found.answer == {"kind": "text"}
    assert [line for line in found.notes if "regexes_to_ignore" in line] == [
        "task.yaml: regexes_to_ignore is taken out of the expected answers only, and not of replies"
    ]
    docs = [{"question": "1 + 1", "answer": f"#### 1,{n:03}"} for n in range(30)]
    assert not any("regexes_to_ignore" in line for line in read(tmp_path, NUMBERS, docs).notes)


def test_splits_of_other_names_are_a_line(tmp_path: Path) -> None:
    path = write(tmp_path, LETTERS)
    line = r"no split of its data \(a, b\) is known with rows: test, train, dev, validation$"
    with pytest.raises(gpo.ConfigError, match=line):
        read_task(path, {"a": "docs.jsonl", "b": "docs.jsonl"})


def test_more_choices_than_letters_are_a_line(tmp_path: Path) -> None:
    choices = [[f"{n} of {doc['label']}" for n in range(27)] for doc in DOCS]
    docs = [{**doc, "choices": one, "right": one[26]} for doc, one in zip(DOCS, choices, strict=True)]
    with pytest.raises(gpo.ConfigError, match="a row has 27 choices, and there are letters for 26"):
        read(tmp_path, VARIED, docs)


def test_a_task_of_it_is_scored(tmp_path: Path) -> None:
    task = task_from_yaml(write(tmp_path, LETTERS), "docs.jsonl", seed=1)
    assert [len(task.examples(name)) for name in ("train", "dev", "test")] == [8, 12, 20]
    found = gpo.evaluate(task, "Choose.", model=lambda text: "(B)")
    assert found.interval.mean == sum(one.target == "B" for one in task.splits.test) / 20


def test_splits_have_the_names_of_the_harness_and_of_two_the_other_one_is_divided(tmp_path: Path) -> None:
    path = write(tmp_path, LETTERS + "training_split: auxiliary\n")
    found = read_task(path, {"auxiliary": "docs.jsonl", "test": "docs.jsonl"})
    assert {split: len(rows) for split, rows in found.rows.items()} == {"train": 20, "dev": 20, "test": 40}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            LETTERS.replace("doc_to_target: answer", "doc_to_target: !function utils.target"),
            "is code .*utils.target",
        ),
        (LETTERS + "process_docs: !function utils.docs\n", "process_docs is code"),
        (
            LETTERS.replace("multiple_choice", "loglikelihood_rolling"),
            "loglikelihood_rolling cannot be asked for",
        ),
        ("group: several\ntask: [a, b]\n", "is a group of tasks"),
        (
            LETTERS.replace("question.strip()", "question.__class__.__mro__[1].__subclasses__()"),
            "cannot be rendered",
        ),
        (LETTERS.replace("question.strip()", "missing"), r"docs\.jsonl.*cannot be rendered.*missing"),
        (LETTERS.replace("doc_to_target: answer", "doc_to_target: right"), "is none of the choices"),
        ("include: task.yaml\n", "includes go round"),
        (LETTERS + "doc_to_target: label\n", "doc_to_target"),
        ("- a list\n", "mapping"),
        (SOLVED.partition("metric_list")[0] + "metric_list: 3\n", "metric_list must be a list of mappings"),
        (
            SOLVED.partition("metric_list")[0] + "metric_list: [exact_match]\n",
            "metric_list must be a list of",
        ),
        (SOLVED.replace('"one "', '"("'), r"regexes_to_ignore is no regular expression \(missing \)"),
        (SOLVED.replace('["one "]', "one"), "regexes_to_ignore must be a list of texts"),
        (
            SOLVED.replace("doc_to_text: question", "doc_to_text: \"{{question | regex_replace('(', '')}}\""),
            "cannot be rendered",
        ),
    ],
)
def test_what_cannot_be_taken_is_a_line(text: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(gpo.GPOError, match=line) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_data_set_that_is_not_here_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(gpo.ConfigError, match="its data set 'cais/none' is not here; give its rows"):
        read_task(write(tmp_path, LETTERS))


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("dataset_kwargs: 3", "is not here; give its rows"),
        (
            "dataset_kwargs: {data_files: {test: [docs.jsonl]}}",
            "data_files must be a file, or a file for each split",
        ),
    ],
)
def test_data_files_that_are_none_are_a_line(said: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(gpo.ConfigError, match=line):
        read_task(write(tmp_path, f"{LETTERS}{said}\n"))


@pytest.mark.integrations
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("text", [LETTERS, LABELS, VARIED, NUMBERS])
def test_the_harness_says_the_same(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lm_eval")
    from lm_eval.api.task import ConfigurableTask

    from gpo.integrations.lm_eval.render import Renderer
    from gpo.integrations.lm_eval.yaml_file import read_yaml

    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    sums = [{"question": "1  + 1", "answer": f"#### {n}"} for n in range(9)]
    docs = sums if text is NUMBERS else DOCS
    path = write(tmp_path, text, docs)
    keys = read_yaml(path)
    data = {"test": str(tmp_path / "docs.jsonl")}
    local = {"dataset_path": "json", "dataset_kwargs": {"data_files": data}, "test_split": "test"}
    theirs = ConfigurableTask(config={**keys, **local})
    ours = Renderer(keys, str(path))
    for doc in theirs.test_docs():
        assert ours.text(doc, "row") == theirs.doc_to_text(doc)
        choices = ours.choices(doc, "row")
        expected = theirs.doc_to_target(doc)
        if choices is None:
            assert ours.target(doc, "row", None) == expected
            continue
        assert choices == theirs.doc_to_choice(doc)
        assert ours.target(doc, "row", choices) == (
            choices[expected] if isinstance(expected, int) else expected
        )


BUNDLED: list[tuple[str, dict[str, Any]]] = [
    ("gsm8k/gsm8k.yaml", {"question": "How many is {n}?", "answer": "It is so.\n#### {n}"}),
    (
        "mmlu/default/mmlu_anatomy.yaml",
        {"question": " What is {n}? ", "choices": ["{n}", "a", "b", "c"], "answer": 0, "subject": "anatomy"},
    ),
    (
        "arc/arc_easy.yaml",
        {
            "question": "What is {n}?",
            "choices": {"text": ["{n}", "none"], "label": ["A", "B"]},
            "answerKey": "A",
        },
    ),
]


@pytest.mark.integrations
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("name", "doc"), BUNDLED, ids=[name for name, _ in BUNDLED])
def test_gpo_init_takes_tasks_that_come_with_the_harness(
    name: str, doc: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lm_eval = pytest.importorskip("lm_eval")
    from lm_eval.api.task import ConfigurableTask
    from typer.testing import CliRunner

    from gpo.cli.main import app
    from gpo.config.load import load_config
    from gpo.integrations.lm_eval.yaml_file import read_yaml

    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    path = Path(lm_eval.__file__).parent / "tasks" / name
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(doc).replace("{n}", str(n)) + "\n" for n in range(40)))
    options = ["--data", str(rows), "--out", str(tmp_path / "made"), "--yes", "--model", "openai/m"]
    done = CliRunner().invoke(app, ["init", str(path), *options])
    assert done.exit_code == 0, done.output
    task = load_config(tmp_path / "made" / "gpo.yaml").task
    made = [json.loads(line) for line in (tmp_path / "made" / str(task.data)).read_text().splitlines()]

    local = {
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": {"test": str(rows)}},
    }
    splits = {"training_split": None, "validation_split": None, "test_split": "test", "fewshot_split": "test"}
    theirs = ConfigurableTask(config={**read_yaml(path), **local, **splits})
    for row, one in zip(made, theirs.test_docs(), strict=True):
        asked, expected = theirs.doc_to_text(one), theirs.doc_to_target(one)
        if "arc" in name:
            assert row["input"].startswith(asked.removesuffix("\nAnswer:"))
            assert row["input"].endswith(f"(A) {theirs.doc_to_choice(one)[0]}\n(B) none")
        else:
            assert row["input"] == asked
        right = expected.partition("#### ")[2] if isinstance(expected, str) else "ABCD"[expected]
        assert row["target"] == right
