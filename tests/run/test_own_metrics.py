"""Own metrics in whole runs: many at once, sync and async, with feedback that reaches the optimizer and outlives the
process."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.errors import ConfigError
from gpo.report.details import exchanges
from gpo.run.journal_writer import prompt_id
from gpo.storage.journal_reader import JournalReader
from gpo.task.example import Example
from tests.support.landscape import Landscape
from tests.support.runs import config
from tests.support.server import ModelServer

LANDSCAPE = Landscape(floor=0.0)


def task_of(metric: Any, rows: int = 16) -> gpo.Task:
    splits = {
        "train": LANDSCAPE.rows(rows),
        "dev": LANDSCAPE.rows(rows, rows),
        "test": LANDSCAPE.rows(rows, 2 * rows),
    }
    return gpo.Task.from_rows(splits, answer={"kind": "label", "labels": ["left", "right"]}, metric=metric)


def run(server: ModelServer, metric: Any, **changes: Any) -> gpo.Result:
    server.answer = LANDSCAPE.answer
    given = config(server, Path(), **changes)
    del given["task"]
    return gpo.optimize(task_of(metric), **given)


def evaluate(server: ModelServer, metric: Any, rows: int) -> float:
    server.answer = LANDSCAPE.answer
    model = {"model": "landscape", "base_url": server.base_url}
    return gpo.evaluate(task_of(metric, rows), "amber anchor", model=model).interval.mean


def test_sync_metrics_run_in_threads_side_by_side(server: ModelServer) -> None:
    meeting = threading.Barrier(32, timeout=20)

    def metric(prediction: str, target: str) -> float:
        meeting.wait()
        return 0.25

    assert evaluate(server, metric, 32) == 0.25


def test_async_metrics_run_side_by_side_and_no_more_than_64_at_once(server: ModelServer) -> None:
    under_way, most = 0, 0
    enough = asyncio.Event()

    async def metric(prediction: str, target: str) -> float:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == 64:
            enough.set()
        await asyncio.wait_for(enough.wait(), 20)
        await asyncio.sleep(0)
        under_way -= 1
        return 0.5

    class AsObject:
        async def __call__(self, prediction: str, example: Example) -> tuple[float, str]:
            return await metric(prediction, str(example.target)), "so so"

    assert evaluate(server, metric, 96) == 0.5
    assert most == 64
    assert evaluate(server, AsObject(), 8) == 0.5
    assert evaluate(server, lambda prediction, target: metric(prediction, target), 8) == 0.5


def told(prediction: str, example: Example) -> tuple[float, str]:
    right = prediction == example.target
    return float(
        right
    ), "" if right else f"wanted {example.target} for {example.input[:8]}, {{braces}} <b>stay</b>"


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ({"direction": "prompt+reflection", "trajectory": "none"}, "Name the problems"),
        ({"name": "apo-original", "rounds": 1}, "Give one reason"),
        ({"name": "pe2-original", "rounds": 1}, "Fill in this form"),
        ({"name": "gpo+", "budget": 90}, "failed on these questions"),
    ],
)
def test_feedback_reaches_whoever_looks_at_failures(
    server: ModelServer, tmp_path: Path, method: dict[str, Any], words: str
) -> None:
    run(server, told, method=method, run_dir=tmp_path / "run")
    asked = [body["messages"][0]["content"] for body in server.bodies() if words in str(body)]
    assert asked
    for text in asked:
        assert "Feedback: wanted " in text
        assert "{braces} <b>stay</b>" in text


def test_the_report_shows_what_the_metric_said(server: ModelServer, tmp_path: Path) -> None:
    run(server, told, method="ape", run_dir=tmp_path / "run")
    with JournalReader(tmp_path / "run/journal.sqlite") as reader:
        scores = list(reader.scores(prompt_id("amber anchor"), "dev"))
        said = {score.value: exchanges(reader, [score])[0][-1] for score in scores}
    assert said[1.0][0] == "reply"
    assert said[0.0][0] == "feedback"
    assert said[0.0][1].startswith("wanted ")


def test_a_run_that_goes_on_has_the_grades_of_the_interrupted_one(
    server: ModelServer, tmp_path: Path
) -> None:
    graded: Counter[tuple[str, str]] = Counter()
    state = {"broken": True}
    lock = threading.Lock()

    def metric(prediction: str, example: Example) -> tuple[float, str]:
        with lock:
            number = graded.total()
            if state["broken"] and number == 40:
                raise ZeroDivisionError("the scale broke")
            graded[(example.id, prediction)] += 1
        # Another number each time: only what was kept can make two processes agree.
        return float(prediction == example.target), f"opinion {number}"

    changes = {
        "method": {"direction": "prompt+reflection", "trajectory": "none"},
        "run_dir": tmp_path / "run",
    }
    with pytest.raises(ConfigError, match=r"failed on example \w+:\d+.*ZeroDivisionError: the scale broke"):
        run(server, metric, **changes)
    with JournalReader(tmp_path / "run/journal.sqlite") as reader:
        before = {(s.prompt_id, s.split, s.example_id): s.value for s in reader.scores()}
        opinions = {key: reader.feedback(*key) for key in before}
    assert before
    assert "opinion 0" in opinions.values()
    state["broken"] = False
    assert run(server, metric, **changes).status == "complete"
    with JournalReader(tmp_path / "run/journal.sqlite") as reader:
        after = {(s.prompt_id, s.split, s.example_id): s.value for s in reader.scores()}
        assert {key: after[key] for key in before} == before
        assert {key: reader.feedback(*key) for key in before} == opinions
    kept = {(key[2], value) for key, value in before.items()}
    # What was graded and not kept is graded again, and nothing else.
    assert max(graded.values()) <= 2
    assert sum(count - 1 for count in graded.values()) <= 40 - len(kept)
    assert server.stats.repeated == 0


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (1.5, "returned 1.5 for example"),
        ((0.5, "a", "b"), "returned 3 values for example"),
        ("good", "could not convert"),
        ((float("nan"), "x"), "returned nan for example"),
    ],
)
def test_what_no_metric_may_return_is_named_with_its_row(
    server: ModelServer, returned: Any, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        evaluate(server, lambda prediction, target: returned, 2)
