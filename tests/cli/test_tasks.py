"""`gpo tasks` as a person calls it, and runs on a benchmark whose rows lie in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.gpo import gpo
from tests.support.server import ModelServer


def data_folder(folder: Path, name: str = "bbh/object_counting") -> Path:
    """A data folder with rows of one benchmark, whose answers are what the server says or one more."""
    place = folder / name
    place.mkdir(parents=True)
    for number, split in enumerate(("train", "dev", "test")):
        rows = [
            {"input": f"How many of the {10 * number + n} things?", "target": 7 + n % 2} for n in range(10)
        ]
        (place / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return folder


def configuration(folder: Path, url: str, **task: Any) -> Path:
    model = {"model": "m", "base_url": url}
    settings = {
        "task": {"data": "bbh/object_counting", **task},
        "models": {"task": model, "optimizer": dict(model)},
        "method": {"trajectory": "recency"},
        "optimize": {"epochs": 1, "candidates": 1, "resamples": 0},
    }
    path = folder / "gpo.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def test_the_list_is_grouped_and_fits_a_terminal(tmp_path: Path) -> None:
    done = gpo("tasks", "list", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr.startswith("next     gpo tasks show NAME")
    for words in (
        "gpo/tickets",
        "bbh/TASK",
        "27 tasks",
        "stem: abstract_algebra",
        "webnlg",
        "bbh-lite",
        "mmlu/other",
    ):
        assert words in done.stdout
    assert len(done.stdout.splitlines()) < 70
    members = [line for line in done.stdout.splitlines() if line.startswith("      ")]
    assert len(members) > 20
    assert max(map(len, members)) <= 80


def test_show_says_what_a_benchmark_is_without_its_rows(tmp_path: Path) -> None:
    done = gpo("tasks", "show", "mmlu/astronomy", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for words in (
        "train 20, dev 20, test 60",
        "kind choice, rounds 2",
        "cais/mmlu",
        "c30699e8356d",
        "MIT",
        "no rows yet",
    ):
        assert words in done.stdout
    assert not (tmp_path / "home").exists()  # nothing was fetched


def test_the_page_of_webnlg_says_how_it_is_asked_and_measured(tmp_path: Path) -> None:
    done = gpo("tasks", "show", "webnlg", cwd=tmp_path)
    for words in ("kind text, rounds 1", "rouge_l", "one round", "stemmed words", "the best one counts"):
        assert words in done.stdout


@pytest.mark.parametrize("by", ["option", "environment"])
def test_show_prints_a_row_where_there_is_one(tmp_path: Path, by: str) -> None:
    folder = data_folder(tmp_path / "data")
    option: list[str | Path] = ["--data-dir", folder] if by == "option" else []
    environment = {} if by == "option" else {"GPO_DATA_DIR": str(folder)}
    done = gpo("tasks", "show", "bbh/object_counting", *option, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert "How many of the 0 things?\n→ 7\n" in done.stdout
    assert "How many of the 1 things?" not in done.stdout
    assert "train 10, dev 10, test 10" in done.stdout


def test_show_names_the_column_that_a_file_lacks(tmp_path: Path) -> None:
    place = tmp_path / "data" / "bbh" / "navigate"
    place.mkdir(parents=True)
    for split in ("train", "dev", "test"):
        (place / f"{split}.jsonl").write_text('{"question": "Do you return?", "answer": "Yes"}\n', "utf-8")
    done = gpo("tasks", "show", "bbh/navigate", "--data-dir", tmp_path / "data", cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    for words in ("train.jsonl:1", "'input'", "'question', 'answer'", "task.input"):
        assert words in done.stderr


def test_show_of_a_group_names_its_tasks(tmp_path: Path) -> None:
    done = gpo("tasks", "show", "bbh-lite", "--data-dir", data_folder(tmp_path / "data"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 of 4 in" in done.stdout
    assert "train 192, dev 192, test 576" in done.stdout
    assert "bbh/movie_recommendation" in done.stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tickes", ["tickes", "tickets"]),
        ("mmlu/anatomie", ["did you mean mmlu/anatomy"]),
        ("hf:openai/gsm8k", ["are not listed here"]),
    ],
)
def test_an_unknown_name_is_one_line(tmp_path: Path, name: str, words: list[str]) -> None:
    done = gpo("tasks", "show", name, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert all(word in done.stderr for word in words), done.stderr


def test_rows_are_shown_without_their_control_characters(tmp_path: Path) -> None:
    place = data_folder(tmp_path / "data") / "bbh/object_counting"
    (place / "train.jsonl").write_text(json.dumps({"input": "red \x1b[31m\x07 {x} %s", "target": "1"}) + "\n")
    done = gpo("tasks", "show", "bbh/object_counting", "--data-dir", tmp_path / "data", cwd=tmp_path)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "{x} %s" in done.stdout


def test_the_same_rows_in_another_folder_are_the_same_run(server: ModelServer, tmp_path: Path) -> None:
    server.answer = lambda body: "Count again, one by one. 7"
    configuration(tmp_path, server.base_url)
    first, second = data_folder(tmp_path / "here"), data_folder(tmp_path / "elsewhere" / "there")
    done = gpo("optimize", "gpo.yaml", "--json", "--data-dir", first, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scores"]["initial"]["test"] == 0.5
    again = gpo("optimize", "gpo.yaml", "--json", cwd=tmp_path, env={"GPO_DATA_DIR": str(second)})
    assert again.returncode == 0, again.stderr
    assert "complete" in again.stderr
    assert json.loads(again.stdout) == json.loads(done.stdout)
    kept = [path for path in (tmp_path / "runs" / "gpo").rglob("*") if path.is_file()]
    assert kept
    assert not any(str(first).encode() in path.read_bytes() for path in kept)


def test_evaluate_reads_the_folder_too_and_asks_in_two_turns(server: ModelServer, tmp_path: Path) -> None:
    server.answer = lambda body: "7" if len(body["messages"]) == 3 else "There are 8 or 9 of them."
    configuration(tmp_path, server.base_url)
    folder = data_folder(tmp_path / "data")
    done = gpo("evaluate", "gpo.yaml", "--prompt", "Count.", "--json", "--data-dir", folder, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {len(body["messages"]) for body in server.bodies()} == {1, 3}
    last = next(body for body in server.bodies() if len(body["messages"]) == 3)
    assert last["messages"][2]["content"] == "Give only your final answer: the number."
    assert last["max_tokens"] == 100
    assert server.stats.calls == 20


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("bbh-lite", ["task.data", "group of 4 tasks", "bbh/navigate"]),
        ("wsc", ["task.data", "has no folder wsc", "--data-dir"]),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path: Path, data: str, words: list[str]) -> None:
    configuration(tmp_path, "http://127.0.0.1:9/v1", data=data)
    folder = data_folder(tmp_path / "data")
    done = gpo("optimize", "gpo.yaml", "--data-dir", folder, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert all(word in done.stderr for word in words), done.stderr


def test_without_a_way_to_the_hub_the_way_out_is_named(tmp_path: Path) -> None:
    configuration(tmp_path, "http://127.0.0.1:9/v1", data="gsm8k")
    done = gpo("optimize", "gpo.yaml", cwd=tmp_path, env={"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "openai/gsm8k" in done.stderr
    assert "--data-dir" in done.stderr
