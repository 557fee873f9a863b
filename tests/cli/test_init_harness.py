"""`gpo init TASK.yaml`: a task file of lm-evaluation-harness becomes a data file and a configuration that runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gpo.errors import ConfigError, GPOError
from gpo.task.benchmarks import hub
from tests.cli.test_init import here, run, written
from tests.support.server import ModelServer
from tests.support.tables import TableModel

__all__ = ["here"]
MODEL = ("--yes", "--model", "m", "--base-url", "http://127.0.0.1:9/v1")
TASK = """
task: small/sums
dataset_path: some/sums
dataset_name: main
output_type: generate_until
training_split: train
test_split: test
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: "{{answer}}"
metric_list: [{metric: exact_match, regexes_to_ignore: ["(?s).*#### "]}]
generation_kwargs: {until: ["Question:"]}
num_fewshot: 5
"""
CHOICES = """
task: entail
output_type: multiple_choice
doc_to_text: "{{question}} True or False?"
doc_to_choice: ["False", "True"]
doc_to_target: "{{answer % 2}}"
description: "Decide what follows.\\n\\n"
"""


def doc(number: int) -> dict[str, Any]:
    return {"question": f"What is {number} + 1?", "answer": f"Count.\n#### {number + 1}"}


def write(name: str, docs: list[dict[str, Any]]) -> None:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in docs))


def test_two_commands_from_a_harness_task_to_a_result(here: Path, server: ModelServer) -> None:
    Path("sums.yaml").write_text(TASK)
    write("rows/train.jsonl", [doc(n) for n in range(40)])
    write("rows/test.jsonl", [doc(n) for n in range(40, 70)])
    said = run("init", "sums.yaml", "--data", "rows", "--yes", "--model", "m", "--base-url", server.base_url)
    assert "train 20, dev 20, test 30" in said
    assert "wrote    gpo.yaml, small-sums.json, and gpo.schema.json" in said
    for key in ("generation_kwargs", "num_fewshot: 5"):
        assert f"note     sums.yaml: {key} is not taken" in said
    task = written()["task"]
    assert (task["data"], task["answer"], task["position"]) == (
        "small-sums.json",
        {"kind": "number"},
        "before_question",
    )
    table = json.loads(Path("small-sums.json").read_text())
    assert table["dev"][0] == {
        "id": "dev:1",
        "input": "Question: What is 1 + 1?\nAnswer:",
        "target": "2",
    }
    rows = [row for part in table.values() for row in part]
    server.answer = TableModel(rows, "input", "target").answer
    small = ("--set", "method={trajectory: recency}", "--set", "optimize.candidates=3")
    result = json.loads(run("optimize", "--json", *small))
    assert result["status"] == "complete"
    assert result["scores"]["best"]["dev"] > result["scores"]["initial"]["dev"]


def test_one_file_is_divided_and_the_description_is_the_first_prompt(here: Path) -> None:
    Path("entail.yaml").write_text(CHOICES)
    write("rows.jsonl", [{"question": f"{n} is odd.", "answer": n} for n in range(40)])
    assert "train 8, dev 12, test 20" in run(
        "init", "entail.yaml", "--data", "rows.jsonl", "--out", "new", *MODEL
    )
    data = written(Path("new"))
    assert data["prompt"] == "Decide what follows."
    assert data["task"]["answer"] == {"kind": "label", "labels": ["False", "True"]}
    assert data["task"]["split"] == {"train": 0.2, "dev": 0.3, "test": 0.5}
    assert json.loads(Path("new/entail.jsonl").read_text().splitlines()[1])["target"] == "True"


def test_rows_of_the_hub_and_sizes_of_large_splits(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def read(*address: Any, public: bool = True) -> dict[str, list[dict[str, Any]]]:
        asked.append(address)
        sizes = {"train": range(100), "test": range(400, 650), "dev": range(3)}
        return {split: [doc(n) for n in numbers] for split, numbers in sizes.items()}

    monkeypatch.setattr(hub, "read", read)
    Path("sums.yaml").write_text(TASK + "fewshot_split: dev\n")
    with pytest.raises(
        ConfigError, match=r"'some/sums' is not here; .*--data\).* or hf:some/sums/main for the hub's"
    ):
        run("init", "sums.yaml", *MODEL)
    run("init", "sums.yaml", "--data", "hf:some/sums/main", *MODEL)
    assert asked == [("some/sums", "main", None)]
    assert written()["task"]["split"] == {"train": 60, "dev": 3, "test": 250}


@pytest.mark.parametrize(
    ("change", "flags", "line"),
    [
        (
            lambda text: text.replace('"{{answer}}"', "!function utils.right"),
            (),
            r"doc_to_target is code \(!function utils.right\), which GPO does not run; write the rows out as a file",
        ),
        (lambda text: text, ("--target", "answer"), "--target: sums.yaml says itself what is asked"),
        (
            lambda text: "task: {data: a.csv}\nprompt: x\nmodels: {}\n",
            (),
            "is a configuration of GPO already",
        ),
        (lambda text: "name: a workflow\n", (), "is no task of lm-evaluation-harness"),
        (
            lambda text: text.replace("{{question}}", "{{query}}"),
            (),
            r"rows.jsonl:1: doc_to_text .*'query' is undef",
        ),
    ],
)
def test_what_cannot_be_taken_is_one_line_and_writes_nothing(
    here: Path, change: Callable[[str], str], flags: tuple[str, ...], line: str
) -> None:
    Path("sums.yaml").write_text(change(TASK))
    write("rows.jsonl", [doc(n) for n in range(40)])
    with pytest.raises(GPOError, match=line) as caught:
        run("init", "sums.yaml", "--data", "rows.jsonl", *flags, *MODEL)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in here.iterdir()) == ["rows.jsonl", "sums.yaml"]


def test_a_file_of_that_name_is_not_overwritten(here: Path) -> None:
    Path("sums.yaml").write_text(TASK)
    write("rows.jsonl", [doc(n) for n in range(40)])
    write("small-sums.jsonl", [])
    with pytest.raises(ConfigError, match=r"small-sums\.jsonl is there already"):
        run("init", "sums.yaml", "--data", "rows.jsonl", *MODEL)
    with pytest.raises(ConfigError, match="--data: goes with a task file of lm-evaluation-harness"):
        run("init", "rows.jsonl", "--data", "rows.jsonl", *MODEL)
