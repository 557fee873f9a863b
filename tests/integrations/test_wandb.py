"""Runs in the files that Weights & Biases writes offline, read back: what they hold is what result.json says."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gpo
from tests.support.server import ModelServer

from .support import KEY, LANDSCAPE, figures, run

pytestmark = [pytest.mark.integrations, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]

BLOCK, HEADER, WHOLE, LAST = 32768, 7, 1, 4


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    pytest.importorskip("wandb")
    monkeypatch.setenv("GPO_TEST_KEY", KEY)
    monkeypatch.setenv("WANDB_MODE", "offline")
    with ModelServer(answer=LANDSCAPE.answer, key=KEY) as server:
        yield server


def records(path: Path) -> Iterator[Any]:
    """The records of an offline run: a log in blocks, a record in one piece or more."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, place, piece = path.read_bytes(), HEADER, b""
    while place + HEADER <= len(data):
        if (left := BLOCK - place % BLOCK) < HEADER:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + HEADER])
        place += HEADER
        piece += data[place : place + length]
        place += length
        if kind in (WHOLE, LAST):
            record = Record()
            record.ParseFromString(piece)
            piece = b""
            yield record


def read(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any], list[Path]]:
    """Configuration, history, summary and the files' folders of the offline runs below `folder`, together."""
    config: dict[str, Any] = {}
    history: list[dict[str, Any]] = []
    summary: dict[str, Any] = {}

    def values(items: Any) -> dict[str, Any]:
        return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}

    runs = sorted(folder.glob("wandb/offline-run-*"))
    for one in runs:
        for record in records(next(one.glob("*.wandb"))):
            kind = record.WhichOneof("record_type")
            if kind == "run":
                config |= values(record.run.config.update)
            elif kind == "config":
                config |= values(record.config.update)
            elif kind == "history":
                history.append(values(record.history.item))
            elif kind == "summary":
                summary |= values(record.summary.update)
    return config, history, summary, [one / "files" for one in runs]


def test_a_run_s_figures_and_files_are_in_its_folder(asked: ModelServer, tmp_path: Path) -> None:
    watcher = gpo.integrations.wandb.WandbTracker(project="tickets", folder=tmp_path)
    result = run(asked, run_dir=tmp_path / "mine", watcher=watcher)
    config, history, summary, (files,) = read(tmp_path)
    assert config["models.task.model"] == "own"
    assert config["optimize.candidates"] == 3
    assert [(one["_step"], one["steps/dev"], one["steps/best_dev"]) for one in history] == [
        (step["step"], step["dev"], step["best_dev"]) for step in result.steps
    ]
    assert {name: summary[name] for name in figures(result)} == figures(result)
    assert (files / "best_prompt.txt").read_text() == result.best_prompt
    assert (files / "prompts" / "step-001.txt").read_text() == result.steps[1]["prompt"]
    assert "<html" in (files / "report.html").read_text()
    assert not any(path.is_symlink() for path in files.rglob("*"))
    for path in (tmp_path / "wandb").rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes(), path


def test_a_run_that_goes_on_keeps_its_id_and_tells_no_step_twice(asked: ModelServer, tmp_path: Path) -> None:
    def tracker() -> Any:
        return gpo.integrations.wandb.WandbTracker(folder=tmp_path, report=False)

    with pytest.raises(gpo.BudgetError):
        run(asked, run_dir=tmp_path / "mine", watcher=tracker(), budget={"max_calls": 55})
    result = run(asked, run_dir=tmp_path / "mine", watcher=tracker())
    _, history, summary, folders = read(tmp_path)
    assert [one["_step"] for one in history] == [step["step"] for step in result.steps]
    # offline-run-TIME-ID, and a number behind it where both began in the same second.
    assert len({folder.parent.name.split("-")[3] for folder in folders}) == 1
    assert summary["scores/best/test"] == result.scores.best.test
