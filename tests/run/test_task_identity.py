"""A run directory is gone on with only by the task that it was begun with: never a stale result."""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.errors import RunError
from gpo.run.identity.code_fingerprint import fingerprint_code
from gpo.storage.journal_reader import JournalReader
from gpo.task.task import Task
from tests.support import forked

PROMPT = "Look at {context}:"
OPTIMIZE = {"epochs": 1, "batch_size": 4, "candidates": 1, "resamples": 0}
LABELS = {"kind": "label", "labels": ["left", "right"]}
BONUS = 0.5


def rows(context: str = "the river", target: str = "left") -> dict[str, list[dict[str, str]]]:
    return {
        split: [{"input": f"{split} {i}", "target": target, "context": f"{context} {i}"} for i in range(4)]
        for split in ("train", "dev", "test")
    }


def say_left(text: str) -> str:
    return "left"


def write(text: str) -> str:
    return "<START>Look closely at {context}:<END>"


def optimize(task: Task, folder: Path) -> gpo.Result:
    return gpo.optimize(
        task,
        prompt=PROMPT,
        models={"task": say_left, "optimizer": write},
        method={"trajectory": "none"},
        optimize=OPTIMIZE,
        run_dir=folder,
    )


def task(**options: Any) -> Task:
    return Task.from_rows(rows(), **{"answer": LABELS, **options})


def half(prediction: str, target: str) -> float:
    return 0.5 * (prediction == target)


def third(prediction: str, target: str) -> float:
    return 0.25 * (prediction == target)


def twin(factor: float) -> Callable[[str, str], float]:
    """Functions of one name and one code that differ in what they close over."""

    def metric(prediction: str, target: str) -> float:
        return factor * (prediction == target)

    return metric


def reader(word: str) -> Callable[[str], str | None]:
    return lambda reply: word if word in reply else None


CHANGES: dict[str, tuple[Callable[[], Task], str]] = {
    "another metric": (lambda: task(metric=third), r"task_object\.metric .*half.*third"),
    "the same name, another value": (lambda: task(metric=twin(0.5)), "metric_code"),
    "a builtin metric": (lambda: task(), "task_object.metric"),
    "position": (lambda: task(metric=half, position="system"), r"task_object\.position .*system"),
    "demonstrations": (lambda: task(metric=half, demonstrations=2), r"demonstrations \(was 0, now 2\)"),
    "chat": (lambda: task(metric=half, chat=False), "task_object.chat"),
    "rounds": (lambda: task(metric=half, answer={**LABELS, "rounds": 2}), r"task_object\.rounds"),
    "labels": (
        lambda: task(metric=half, answer={"kind": "label", "labels": ["left", "up"]}),
        "answer.labels",
    ),
    "the answer's kind": (lambda: task(metric=half, answer="text"), r"task_object\.answer\.reader"),
    "an own reader": (lambda: task(metric=half, answer=reader("left")), r"task_object\.answer\.reader"),
    "a column": (
        lambda: Task.from_rows(rows("the sea"), answer=LABELS, metric=half),
        "columns_digest",
    ),
    "a target": (lambda: Task.from_rows(rows(target="right"), answer=LABELS, metric=half), "data_digest"),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert optimize(task(metric=half), folder).scores.initial.dev == 0.5
    return folder


@pytest.mark.parametrize("change", CHANGES)
def test_another_task_never_gets_the_old_result(change: str, finished: Path) -> None:
    made, told = CHANGES[change]
    with pytest.raises(RunError, match=told):
        optimize(made(), finished)


def test_the_same_task_does(finished: Path) -> None:
    assert optimize(task(metric=half), finished).scores.initial.dev == 0.5


def test_values_that_a_metric_closes_over_are_part_of_it(tmp_path: Path) -> None:
    optimize(task(metric=twin(0.5)), tmp_path / "run")
    optimize(task(metric=twin(0.5)), tmp_path / "run")
    with pytest.raises(RunError, match="metric_code"):
        optimize(task(metric=twin(0.25)), tmp_path / "run")


def test_so_is_what_an_own_reader_looks_for(tmp_path: Path) -> None:
    optimize(task(answer=reader("left")), tmp_path / "run")
    with pytest.raises(RunError, match=r"answer\.code"):
        optimize(task(answer=reader("right")), tmp_path / "run")


# What identifies code


@dataclass
class Close:
    tolerance: float

    def __call__(self, prediction: str, target: str) -> float:
        return float(abs(float(prediction) - float(target)) < self.tolerance)


class Counting:
    """Keeps what it saw, as judges do."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.seen: list[str] = []

    def __call__(self, prediction: str, target: str) -> float:
        self.seen.append(prediction)
        return float(len(prediction) > self.threshold)


def with_bonus(prediction: str, target: str) -> float:
    return BONUS if helper(prediction) else 0.0


def helper(prediction: str) -> bool:
    return prediction in {"a", "b", "c", "d", "e"}


def scaled(prediction: str, target: str, *, scale: float = 1.0) -> float:
    return scale * (prediction == target)


def test_the_same_code_has_the_same_hash() -> None:
    counting = Counting(3)
    before = fingerprint_code(counting)
    counting("left", "right")
    assert fingerprint_code(counting) == before == fingerprint_code(Counting(3)), (
        "what it saw is not what it is"
    )
    assert fingerprint_code(Close(0.1)) == fingerprint_code(Close(0.1))
    assert fingerprint_code(functools.partial(scaled, scale=0.5)) == fingerprint_code(
        functools.partial(scaled, scale=0.5)
    )


def test_other_code_and_other_values_have_another_one() -> None:
    things: list[Any] = [
        half,
        third,
        twin(0.5),
        twin(0.25),
        Close(0.1),
        Close(0.2),
        Counting(3),
        Counting(4),
        scaled,
        functools.partial(scaled, scale=0.5),
        functools.partial(scaled, scale=0.25),
        functools.lru_cache(half),
        functools.lru_cache(third),
        lambda prediction, target: float(prediction == target),
        lambda prediction, target: float(prediction != target),
        lambda prediction, target: float(prediction in target),
    ]
    assert len({fingerprint_code(thing) for thing in things}) == len(things)


def test_what_a_function_uses_of_its_module_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint_code(with_bonus)
    with monkeypatch.context() as patch:
        patch.setitem(globals(), "BONUS", 0.25)
        assert fingerprint_code(with_bonus) != before
    with monkeypatch.context() as patch:
        patch.setitem(globals(), "helper", lambda prediction: True)
        assert fingerprint_code(with_bonus) != before
    assert fingerprint_code(with_bonus) == before


def test_gpo_itself_is_known_by_name_and_not_by_its_code() -> None:
    assert fingerprint_code(task().metric) == fingerprint_code(task().answer) == fingerprint_code(len) == ""
    assert fingerprint_code(task(metric=half).metric) != ""


def test_another_process_finds_the_same_hash(tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    shown = "fingerprint_code(with_bonus), fingerprint_code(Close(0.1))"
    code = f"from tests.run.test_task_identity import *; print({shown})"
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert told == {f"{fingerprint_code(with_bonus)} {fingerprint_code(Close(0.1))}\n"}


# Configurations

METRIC = "def score(prediction, target):\n    return {} * (prediction == target)\n"


def configured(folder: Path, *, metric: str = "exact_match", context: str = "the river") -> gpo.Result:
    for split, found in rows(context).items():
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))
    section = {
        "data": {split: str(folder / f"{split}.jsonl") for split in ("train", "dev", "test")},
        "answer": LABELS,
        "metric": metric,
    }
    return gpo.optimize(
        section,
        prompt=PROMPT,
        models={"task": say_left, "optimizer": write},
        method={"trajectory": "none"},
        optimize=OPTIMIZE,
        run_dir=folder / "run",
    )


def test_a_column_of_a_file_that_the_prompt_names(tmp_path: Path) -> None:
    configured(tmp_path)
    with pytest.raises(RunError, match="columns_digest"):
        configured(tmp_path, context="the sea")
    assert configured(tmp_path).status == "complete"


def test_the_code_of_a_configured_metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    (tmp_path / "own_metric_a.py").write_text(METRIC.format(0.5))
    (tmp_path / "own_metric_b.py").write_text(METRIC.format(0.25))
    monkeypatch.syspath_prepend(tmp_path)
    configured(tmp_path, metric="own_metric_a:score")
    # As after an edit of the file, in another process.
    monkeypatch.setitem(sys.modules, "own_metric_a", __import__("own_metric_b"))
    with pytest.raises(RunError, match="metric_code"):
        configured(tmp_path, metric="own_metric_a:score")


def test_a_run_directory_of_an_older_gpo_is_gone_on_with(tmp_path: Path) -> None:
    whole = configured(tmp_path)
    path = tmp_path / "run" / "journal.sqlite"
    with JournalReader(path) as reader_:
        recorded = reader_.get_meta("config")
    for later in ("columns_digest", "metric_code", "helper_code"):
        del recorded[later]
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "UPDATE meta SET value = ?, checksum = NULL WHERE key = 'config'", (json.dumps(recorded),)
        )
    connection.close()
    (tmp_path / "run" / "result.json").unlink()
    assert configured(tmp_path).scores == whole.scores


HELPED = """
import own_helper
from own_other import bonus

def score(prediction, target):
    import own_late
    return own_helper.TABLE[prediction == target] * bonus() * own_late.FACTOR
"""
HELPERS = {
    "own_helper": "import own_deeper\nTABLE = {True: own_deeper.ONE, False: 0.0}\n",
    "own_deeper": "ONE = 1.0\n",
    "own_other": "def bonus():\n    return 0.5\n",
    "own_late": "FACTOR = 0.5\n",
}
START = """
import sys
from pathlib import Path
from tests.run.test_task_identity import configured
sys.path.insert(0, sys.argv[1])
print(configured(Path(sys.argv[1]), metric="own_helped:score").status)
"""


def start(folder: Path) -> str:
    done = forked.run(START, folder)
    return done.stdout + done.stderr


def test_a_module_that_a_metric_uses_is_part_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "own_helped.py").write_text(HELPED)
    for name, text in HELPERS.items():
        (tmp_path / f"{name}.py").write_text(text)
    assert "complete" in start(tmp_path)
    assert "complete" in start(tmp_path)
    for name, text in HELPERS.items():
        changed = text.replace("1.0", "0.75").replace("0.5", "0.25").replace("0.0}", "0.125}")
        (tmp_path / f"{name}.py").write_text(changed)
        assert "differs in helper_code" in start(tmp_path), name
        (tmp_path / f"{name}.py").write_text(text)
    assert "complete" in start(tmp_path)


def test_changed_templates_are_another_run(tmp_path: Path) -> None:
    from gpo.optimizer.templates import TEXTS

    folder = tmp_path / "own"
    folder.mkdir()
    name = next(iter(sorted(TEXTS.glob("*.jinja")))).name
    (folder / name).write_text((TEXTS / name).read_text())
    optimize_ = {**OPTIMIZE, "meta_prompt": str(folder)}

    def go_on() -> gpo.Result:
        return gpo.optimize(
            task(),
            prompt=PROMPT,
            models={"task": say_left, "optimizer": write},
            method={"trajectory": "none"},
            optimize=optimize_,
            run_dir=tmp_path / "run",
        )

    assert go_on().status == "complete"
    assert go_on().status == "complete"
    (folder / name).write_text((TEXTS / name).read_text() + "\nBe brief.")
    with pytest.raises(RunError, match="template_digest"):
        go_on()


def test_another_code_of_an_own_part_is_another_run(tmp_path: Path) -> None:
    from gpo.optimizer.methods import Method
    from gpo.optimizer.parts.information import PromptInformation
    from gpo.optimizer.parts.refinement import Generation
    from gpo.optimizer.parts.trajectory import Recency

    def go_on(words: int) -> gpo.Result:
        class Own:
            def __init__(self) -> None:
                self.asked = 0

            def limit(self, step: int, total: int) -> int | None:
                self.asked += 1
                return words

        return gpo.optimize(
            task(),
            prompt=PROMPT,
            models={"task": say_left, "optimizer": write},
            method=Method("mine", PromptInformation(True, False), Recency(2), Own(), Generation()),
            optimize=OPTIMIZE,
            run_dir=tmp_path,
        )

    assert go_on(7).status == "complete"
    assert go_on(7).status == "complete"
    with pytest.raises(RunError, match="part_code"):
        go_on(9)
