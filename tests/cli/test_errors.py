"""Every mistake of a user is one line that names it and the way out, with the right exit code and nothing half-made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.gpo import gpo

ROWS = [{"input": f"Item {i}?", "target": "left" if i % 2 else "right"} for i in range(60)]


def write(folder: Path, rows: list[Any] | None = None, **changes: Any) -> Path:
    """A small configuration with its data in `folder`; `changes` are sections, merged."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in (ROWS if rows is None else rows)]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
    model = {"model": "m", "base_url": "http://127.0.0.1:9/v1"}
    config: dict[str, Any] = {
        "task": {
            "data": "rows.jsonl",
            "split": {"train": 20, "dev": 20, "test": 20},
            "answer": {"kind": "label", "labels": ["left", "right"]},
        },
        "models": {"task": model, "optimizer": dict(model)},
    }
    for section, keys in changes.items():
        config[section] = {**config.get(section, {}), **keys} if isinstance(keys, dict) else keys
    path = folder / "gpo.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


MISTAKES: dict[str, tuple[dict[str, Any], int, list[str]]] = {
    "an unknown key": ({"optimize": {"epoch": 3}}, 2, ["gpo.yaml:", "optimize.epoch", "epochs"]),
    "a switch for a number": (
        {"budget": {"max_calls": True}},
        2,
        ["budget.max_calls", "must be a number, not True"],
    ),
    "a switch among numbers": (
        {"task": {"split": {"train": 20, "dev": 20, "test": True}}},
        2,
        ["task.split", "number"],
    ),
    "no end": (
        {"models": {"task": {"model": "m", "base_url": "http://x/v1", "timeout": float("inf")}}},
        2,
        ["timeout", "finite"],
    ),
    "a wrong type": ({"optimize": {"epochs": "many"}}, 2, ["gpo.yaml:", "optimize.epochs", "many"]),
    "a missing column": ({"task": {"input": "question"}}, 2, ["rows.jsonl", "question", "input, target"]),
    "a label outside the list": (
        {"task": {"answer": {"kind": "label", "labels": ["left", "up"]}}},
        2,
        ["rows.jsonl:", "right", "left", "up"],
    ),
    "too few rows": ({"task": {"split": {"train": 20, "dev": 20, "test": 90}}}, 2, ["split", "60"]),
    "no such file": ({"task": {"data": "nowhere.csv"}}, 2, ["nowhere.csv"]),
    "nobody's home": ({"task": {"data": "~gpo-nobody/rows.csv"}}, 2, ["~gpo-nobody/rows.csv"]),
    "an unknown embedded model": (
        {"models": {"task": {"model": "local/nope"}, "optimizer": {"model": "local/nope"}}},
        2,
        ["gpo.yaml:14: models.task.model", "nope", "qwen2.5-coder-0.5b"],
    ),
    "an unknown model": (
        {"models": {"task": {"model": "nope"}, "optimizer": {"model": "nope"}}},
        2,
        ["gpo.yaml:14: models.task.model", "nope", "base_url"],
    ),
    "no key in the environment": (
        {"models": {"task": {"model": "openai/gpt-4o-mini"}, "optimizer": {"model": "openai/gpt-4o"}}},
        2,
        ["gpo.yaml:13: models.task", "OPENAI_API_KEY"],
    ),
    "an unknown method": ({"method": "gop"}, 2, ["gpo.yaml:19: method", "gop", "gpo"]),
    "an unknown preset": ({"preset": "own"}, 2, ["gpo.yaml:19: preset", "paper", "released"]),
    "no server": ({"method": {"trajectory": "none"}}, 1, ["127.0.0.1:9", "base_url"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(tmp_path: Path, mistake: str) -> None:
    changes, code, words = MISTAKES[mistake]
    write(tmp_path, **changes)
    done = gpo("optimize", "gpo.yaml", "--run-dir", "run", cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    last = done.stderr.strip().splitlines()[-1]
    for word in words:
        assert word in last
    assert "Traceback" not in done.stderr
    if code == 2:
        assert len(done.stderr.strip().splitlines()) == 1
        assert not (tmp_path / "run").exists()


def test_what_the_command_line_sets_has_no_line_in_the_file(tmp_path: Path) -> None:
    write(tmp_path, method="ape")
    done = gpo("optimize", "gpo.yaml", "--set", "method=gop", "--preset", "released", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("gpo: method: there is no 'gop'")
    wrong = gpo("optimize", "gpo.yaml", "--preset", "own", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "released" in wrong.stderr


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([*ROWS[:3], "{broken", *ROWS[4:]], ["rows.jsonl:4", "JSON"]),
        ([*ROWS[:3], {"input": "x"}, *ROWS[4:]], ["rows.jsonl:4", "target"]),
        ([*ROWS[:3], [1, 2], *ROWS[4:]], ["rows.jsonl:4"]),
        ([], ["task.split", "rows has 0"]),
    ],
)
def test_a_row_that_cannot_be_read_names_its_file_and_line(
    tmp_path: Path, rows: list[Any], words: list[str]
) -> None:
    write(tmp_path, rows)
    done = gpo("optimize", "gpo.yaml", "--run-dir", "run", cwd=tmp_path)
    assert done.returncode == 2
    assert all(word in done.stderr for word in words), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_a_test_split_that_overlaps_is_refused_unless_asked_for(tmp_path: Path) -> None:
    for name, part in (("train", ROWS[:20]), ("dev", ROWS[20:40]), ("test", ROWS[35:60])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    data = {name: f"{name}.jsonl" for name in ("train", "dev", "test")}
    write(tmp_path, task={"data": data, "split": None})
    refused = gpo("optimize", "gpo.yaml", cwd=tmp_path)
    assert refused.returncode == 2
    assert "allow_overlap" in refused.stderr
    assert "dev.jsonl" in refused.stderr
    allowed = gpo("optimize", "gpo.yaml", "--set", "task.allow_overlap=true", cwd=tmp_path)
    assert allowed.returncode == 1  # it gets as far as the server that is not there


def test_a_failed_start_does_not_block_the_next_try(tmp_path: Path) -> None:
    write(tmp_path, method={"trajectory": "none"})
    assert gpo("optimize", "gpo.yaml", "--run-dir", "run", cwd=tmp_path).returncode == 1
    other = gpo("optimize", "gpo.yaml", "--run-dir", "run", "--set", "seed=5", cwd=tmp_path)
    assert "another configuration" not in other.stderr
    assert other.returncode == 1


@pytest.mark.parametrize(
    "line",
    [
        "optimize --run-dir LONG",
        "optimize --set task.data=LONG --dry-run",
        "view LONG",
        "init LONG",
        "report LONG",
    ],
)
def test_a_name_that_no_file_can_have_is_one_line(line: str, tmp_path: Path) -> None:
    write(tmp_path)
    name = "x" * 300
    done = gpo(*line.replace("LONG", name).split(), cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert done.stderr.count("\n") == 1
    assert f"{name}: " in done.stderr
    assert "Traceback" not in done.stderr
