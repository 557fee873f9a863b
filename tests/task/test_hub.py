"""Rows from the Hugging Face hub, read by the real `datasets` from a hub on loopback in a process of its own."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gpo.errors import ConfigError
from gpo.task import benchmarks
from gpo.task.benchmarks.hub import read_address
from tests.support.hub import Hub

pytestmark = pytest.mark.timeout(300)  # importing datasets takes long where the machine is busy
needs_datasets = pytest.mark.skipif(
    importlib.util.find_spec("datasets") is None or importlib.util.find_spec("pyarrow") is None,
    reason="the packages datasets and pyarrow are not installed",
)

# Reads every task that stands on stdin and prints, for each, its splits or the error.
READER = """
import json, sys
from gpo.config.task import TaskConfig
from gpo.errors import GPOError
from gpo.task.task import Task

def read(keys):
    try:
        task = Task.from_config(TaskConfig(**keys), seed=0)
    except GPOError as error:
        return str(error)
    splits = ("train", "dev", "test", "format", "demos")
    return {name: [[one.input, one.target] for one in task.examples(name)] for name in splits}

print(json.dumps({keys["data"]: read(keys) for keys in json.load(sys.stdin)}))
"""

TASKS: list[dict[str, Any]] = [
    {"data": "wsc"},
    {"data": "bbh/navigate"},
    {"data": "mmlu/astronomy"},
    {"data": "hf:own/queues", "input": "{subject}: {body}", "target": "queue", "answer": {"kind": "label"}},
    {"data": "hf:own/one@v2", "answer": {"kind": "number"}, "split": {"train": 10, "dev": 12, "test": 8}},
    {"data": "hf:own/script"},
    {"data": "hf:own/archive"},
    {"data": "hf:own/pickle"},
    {"data": "hf:own/absent"},
]


def parquet(rows: list[dict[str, Any]]) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    pyarrow.parquet = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    return file.getvalue()


def card(config: str, *parts: str) -> bytes:
    files = "".join(f"  - split: {part}\n    path: {config}/{part}-*\n" for part in parts)
    return f"---\nconfigs:\n- config_name: {config}\n  data_files:\n{files}---\n".encode()


def sums(count: int) -> bytes:
    return "".join(json.dumps({"input": f"{n} + 1?", "target": n + 1}) + "\n" for n in range(count)).encode()


def datasets() -> dict[str, dict[str, bytes]]:
    pronouns = [
        {"text": f"Sentence {n}.", "pronoun": "it", "options": ["a", "b"], "label": n % 2} for n in range(273)
    ]
    walks = [{"input": f"Walk {n}?", "target": "Yes" if n % 2 else "No"} for n in range(250)]
    exam = {
        part: [
            {"question": f"{part} {n}?", "choices": ["w", "x", "y", "z"], "answer": n % 4}
            for n in range(count)
        ]
        for part, count in {"test": 104, "dev": 5, "validation": 9}.items()
    }
    table = "subject,body,queue\n" + "".join(f'Item {n},"late, again",{"ab"[n % 2]}\n' for n in range(40))
    return {
        "lighteval/winograd_wsc": {
            "README.md": card("wsc273", "test"),
            "wsc273/test-00000-of-00001.parquet": parquet(pronouns),
        },
        "SaylorTwift/bbh": {
            "README.md": card("navigate", "test"),
            "navigate/test-00000-of-00001.parquet": parquet(walks),
        },
        "cais/mmlu": {
            "README.md": card("astronomy", *exam),
            **{f"astronomy/{part}-00000-of-00001.parquet": parquet(rows) for part, rows in exam.items()},
        },
        "own/queues": {"train.csv": table.encode(), "test.csv": table.replace("Item", "Late item").encode()},
        "own/one": {"rows.jsonl": sums(40)},
        "own/script": {"script.py": b"raise SystemExit('code of a data set was run')"},
        "own/archive": {"train.tar": b"\0" * 1024},
        "own/pickle": {"train.pkl": b"cos\nsystem\n(S'false'\ntR."},
    }


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with Hub(datasets()) as running:
        yield running


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def read(hub: Hub, kept: Path) -> dict[str, Any]:
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(kept / "hf"),
        "HF_TOKEN": "hf_secret",
        "GPO_HOME": str(kept / "gpo"),
    }
    done = subprocess.run(
        [sys.executable, "-c", READER],
        input=json.dumps(TASKS),
        env=environment,
        cwd=kept,
        text=True,
        capture_output=True,
        timeout=280,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def sizes(splits: dict[str, list[Any]]) -> list[int]:
    return [len(rows) for rows in splits.values()]


@needs_datasets
def test_benchmarks_come_in_the_sizes_of_the_paper(read: dict[str, Any]) -> None:
    assert sizes(read["wsc"]) == [50, 50, 150, 10, 10]
    assert sizes(read["bbh/navigate"]) == [48, 48, 144, 5, 5]
    assert sizes(read["mmlu/astronomy"]) == [20, 20, 60, 5, 4]
    assert read["mmlu/astronomy"]["format"][1] == ["dev 1?\n(A) w\n(B) x\n(C) y\n(D) z", "(B)"]


@needs_datasets
def test_the_pinned_revision_is_asked_for_and_the_token_stays_at_home(read: dict[str, Any], hub: Hub) -> None:
    pinned = benchmarks.find("bbh/navigate").home.revision
    assert f"/api/datasets/SaylorTwift/bbh/revision/{pinned}" in hub.requests
    assert any(path.startswith("/api/datasets/own/one/revision/v2") for path in hub.requests)
    assert {path.split("/")[3] for path in hub.keys if path.startswith("/api/datasets/")} == {"own"}


@needs_datasets
def test_what_was_fetched_once_is_kept(
    read: dict[str, Any], kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPO_HOME", str(kept / "gpo"))
    place = benchmarks.get_folder("wsc", None)  # in this process the hub cannot be reached
    assert place.is_relative_to(kept)
    rows = [json.loads(line) for line in (place / "train.jsonl").read_text().splitlines()]
    assert [[row["input"], row["target"]] for row in rows] == read["wsc"]["train"]
    assert not list(kept.rglob(".new-*"))


@needs_datasets
def test_an_own_data_set_with_its_columns(read: dict[str, Any]) -> None:
    splits = read["hf:own/queues"]
    assert sizes(splits) == [20, 20, 40, 0, 0]  # it has no dev split: half of train is
    assert ["Late item 7: late, again", "b"] in splits["test"]
    assert not {row[0] for row in splits["train"]} & {row[0] for row in splits["dev"]}
    assert sizes(read["hf:own/one@v2"]) == [10, 12, 8, 0, 0]


@needs_datasets
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hf:own/script", ["loading script", "never run", "refs/convert/parquet"]),
        ("hf:own/archive", ["only parquet, arrow, json, csv are read"]),
        ("hf:own/pickle", ["No (supported) data files"]),
        ("hf:own/absent", ["has no data set own/absent", "HF_TOKEN"]),
    ],
)
def test_what_is_not_files_of_rows_is_one_line(read: dict[str, Any], name: str, words: list[str]) -> None:
    message = read[name]
    assert isinstance(message, str), "it was read"
    assert message.startswith("task.data: ")
    assert "\n" not in message
    assert name.removeprefix("hf:") in message
    assert all(word in message for word in words), message
    assert "hf_secret" not in message


@pytest.mark.parametrize("address", ["hf:", "hf:gsm8k", "hf:a/b/c/d", "hf:a/b@", "hf:a /b", "hf:https://x/y"])
def test_a_wrong_address_is_one_line(address: str) -> None:
    with pytest.raises(ConfigError, match="is not an address on the Hugging Face hub; write hf:org/name"):
        read_address(address)
