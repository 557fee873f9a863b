"""What a watcher is told, and that its own errors are its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.errors import RunError
from gpo.storage.journal import Journal
from tests.support.landscape import Landscape
from tests.support.server import ModelServer

from .interrupted import OPTIONS, make_task


class Everything(gpo.Watcher):
    def __init__(self) -> None:
        self.started: list[tuple[int, int]] = []
        self.scored: list[tuple[str, str, float]] = []
        self.candidates: list[str] = []
        self.calls: list[int] = []

    def step_started(self, step: int, total: int, limit: int | None, best_score: float) -> None:
        assert 0 <= best_score <= 1
        self.started.append((step, total))

    def prompt_scored(self, prompt: str, split: str, score: float) -> None:
        self.scored.append((prompt, split, score))

    def step_finished(self, record: Any) -> None:
        self.candidates += [item.prompt for item in record.candidates if item.score is not None]

    def progressed(self, progress: gpo.Progress) -> None:
        self.calls.append(progress.calls)


def run(server: ModelServer, **options: Any) -> gpo.Result:
    model = {"model": "own", "base_url": server.base_url}
    return gpo.optimize(make_task(), models=model, **{**OPTIONS, **options})


def test_a_watcher_is_told_of_steps_candidates_scores_and_calls() -> None:
    with ModelServer(answer=Landscape().answer) as server:
        told, progress = Everything(), gpo.Progress()
        result = run(server, watcher=told, progress=progress)
    assert told.started == [(step, 4) for step in range(len(result.steps))]
    on_dev = {prompt: score for prompt, split, score in told.scored if split == "dev"}
    assert told.candidates
    assert {"amber anchor", *told.candidates} == set(on_dev)
    assert on_dev[result.best_prompt] == result.scores.best.dev
    on_test = {prompt: score for prompt, split, score in told.scored if split == "test"}
    assert on_test[result.best_prompt] == result.scores.best.test
    assert told.calls == sorted(told.calls)
    assert told.calls[-1] == progress.calls == result.usage.task.calls + result.usage.optimizer.calls
    assert progress.prompts_scored == len(on_dev)
    assert progress.phase == "done"


def test_errors_in_a_watcher_are_one_warning_and_change_nothing() -> None:
    class Broken(gpo.Watcher):
        def step_finished(self, record: Any) -> None:
            raise ValueError("mine\x1b[31m")

        def progressed(self, progress: gpo.Progress) -> None:
            raise KeyError("too")

    with ModelServer(answer=Landscape().answer) as server:
        whole = run(server)
        with pytest.warns(RuntimeWarning, match="the run goes on") as caught:
            watched = run(server, watcher=Broken())
    assert len(caught) == 1
    assert "\x1b" not in str(caught[0].message)
    assert watched.best_prompt == whole.best_prompt


def test_the_end_is_told_also_where_the_journal_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[gpo.Result | None] = []

    class Ends(gpo.Watcher):
        def run_finished(self, run_dir: Path, result: gpo.Result | None) -> None:
            ended.append(result)

    async def full(journal: Journal) -> None:
        raise RunError("the disk is full")

    monkeypatch.setattr(Journal, "flush", full)
    with ModelServer(answer=Landscape().answer) as server, pytest.raises(RunError, match="disk is full"):
        run(server, watcher=Ends())
    assert ended == [None]


def test_an_object_with_one_of_the_methods_will_do() -> None:
    class Listening:
        def __init__(self) -> None:
            self.steps = 0

        def step_finished(self, record: Any) -> None:
            self.steps += 1

    with ModelServer(answer=Landscape().answer) as server:
        listening = Listening()
        result = run(server, watcher=listening)
    assert listening.steps == len(result.steps)


def test_progress_is_true_or_an_object() -> None:
    with pytest.raises(gpo.ConfigError, match=r"progress: must be True, False or a gpo\.Progress, not str"):
        gpo.evaluate(make_task(), "p", model=lambda text: "left", progress="bar")  # type: ignore[arg-type]


def test_the_bar_of_a_terminal_leaves_a_line_a_step_where_there_is_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ModelServer(answer=Landscape().answer) as server:
        result = run(server, progress=True)
    out, told = capsys.readouterr()
    assert out == ""
    assert told.count("\nstep ") + told.startswith("step ") == len(result.steps)
