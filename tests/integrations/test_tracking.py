"""What a tracker is told, whatever the tool: the figures of result.json, once, no key, and never the end of a run."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import gpo
from gpo.cli.main import app
from gpo.extras import is_installed
from gpo.integrations import tracking
from tests.support.server import ModelServer

from .support import KEY, LANDSCAPE, figures, run


class Kept:
    """A run in memory."""

    def __init__(self, run_id: str) -> None:
        self.id = run_id
        self.params: dict[str, Any] = {}
        self.told_params = 0
        self.steps: list[tuple[int, dict[str, float]]] = []
        self.summary: dict[str, float] = {}
        self.tags: dict[str, str] = {}
        self.prompts: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self.closed: list[str] = []

    def log_params(self, params: Mapping[str, Any]) -> None:
        self.params = dict(params)
        self.told_params += 1

    def log_step(self, step: int, metrics: Mapping[str, float]) -> None:
        self.steps.append((step, dict(metrics)))

    def log_summary(self, metrics: Mapping[str, float], tags: Mapping[str, str]) -> None:
        self.summary, self.tags = dict(metrics), dict(tags)

    def log_prompts(self, prompts: Mapping[str, str]) -> None:
        self.prompts |= prompts

    def log_file(self, path: Path) -> None:
        self.files[path.name] = path.read_text()

    def close(self, status: str) -> None:
        self.closed.append(status)


class Memory(tracking.Tracker):
    name = "memory"

    def __init__(self, runs: dict[str, Kept], **options: Any) -> None:
        super().__init__(**options)
        self.runs = runs

    def open_run(self, run_id: str | None, name: str) -> Kept:
        kept = Kept(self._run_id or run_id or f"{name}-{len(self.runs)}")
        return self.runs.setdefault(kept.id, kept)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    monkeypatch.setenv("GPO_TEST_KEY", KEY)
    with ModelServer(answer=LANDSCAPE.answer, key=KEY) as server:
        yield server


def test_a_tracked_run_has_the_figures_of_result_json(asked: ModelServer, tmp_path: Path) -> None:
    runs: dict[str, Kept] = {}
    result = run(asked, run_dir=tmp_path / "mine", watcher=[Memory(runs)])
    (kept,) = runs.values()
    assert kept.id == "mine-0"
    assert kept.params["models.task.model"] == "own"
    assert kept.params["optimize.candidates"] == 3
    assert kept.params["prompt"] == "amber anchor"
    assert [step for step, _ in kept.steps] == [0, 1]
    for (_, told), step in zip(kept.steps, result.steps, strict=True):
        for name in (
            "dev",
            "best_dev",
            "edit_limit",
            "edit_distance",
            "candidates_scored",
            "candidates_rejected",
        ):
            assert told[f"steps/{name}"] == step[name]
    assert kept.steps[0][1]["usage/calls"] < kept.steps[1][1]["usage/calls"] <= 200
    assert kept.summary == figures(result)
    assert kept.summary["usage/task/usd"] > 0
    assert kept.summary["scores/best/dev"] > kept.summary["scores/initial/dev"]
    assert kept.tags["gpo.status"] == "complete"
    assert kept.prompts["best"] == result.best_prompt == kept.files["best_prompt.txt"]
    assert kept.prompts["initial"] == "amber anchor"
    assert kept.prompts["step-001"] == result.steps[1]["prompt"]
    assert json.loads(kept.files["result.json"]) == result.to_dict()
    assert "<html" in kept.files["report.html"]
    assert kept.closed == ["complete"]
    assert KEY not in repr(vars(kept))


def test_a_run_that_goes_on_is_one_run_there_and_no_step_is_told_twice(
    asked: ModelServer, tmp_path: Path
) -> None:
    runs: dict[str, Kept] = {}
    folder = tmp_path / "run"
    stopped: list[int] = []

    class Stop(gpo.Watcher):
        def step_finished(self, record: Any) -> None:
            stopped.append(record.step)

    with pytest.raises(gpo.BudgetError):
        run(asked, run_dir=folder, watcher=[Memory(runs), Stop()], budget={"max_calls": 55})
    (kept,) = runs.values()
    assert stopped == [step for step, _ in kept.steps] == [0]
    assert kept.closed == ["budget"]
    result = run(asked, run_dir=folder, watcher=Memory(runs))
    assert list(runs.values()) == [kept]
    assert kept.told_params == 1
    assert [step for step, _ in kept.steps] == [0, 1]
    assert kept.closed == ["budget", "complete"]
    assert kept.summary == figures(result)
    # Once more: nothing is left to say.
    run(asked, run_dir=folder, watcher=Memory(runs))
    assert kept.closed == ["budget", "complete"]


def test_a_run_that_was_made_before_is_told_whole(asked: ModelServer, tmp_path: Path) -> None:
    result = run(asked, run_dir=tmp_path / "run")
    runs: dict[str, Kept] = {}
    before = asked.stats.calls
    run(asked, run_dir=tmp_path / "run", watcher=Memory(runs, report=False))
    (kept,) = runs.values()
    assert [told["steps/best_dev"] for _, told in kept.steps] == [step["best_dev"] for step in result.steps]
    assert kept.summary == figures(result)
    assert set(kept.files) == {"best_prompt.txt", "result.json"}
    assert asked.stats.calls == before


@pytest.mark.parametrize("max_calls", [None, 55])
def test_a_run_of_the_tracker_that_was_told_nothing_is_told_all(
    max_calls: int | None, asked: ModelServer, tmp_path: Path
) -> None:
    runs: dict[str, Kept] = {}
    with nullcontext() if max_calls is None else pytest.raises(gpo.BudgetError):
        run(asked, run_dir=tmp_path / "run", watcher=Memory(runs), budget={"max_calls": max_calls})
    result = run(asked, run_dir=tmp_path / "run", watcher=Memory(runs, run_id="B"))
    kept = runs["B"]
    assert kept.params["models.task.model"] == "own"
    assert [step for step, _ in kept.steps] == [0, 1]
    assert kept.summary == figures(result)
    # It is told once.
    run(asked, run_dir=tmp_path / "run", watcher=Memory(runs, run_id="B"))
    assert (kept.told_params, kept.closed) == (1, ["complete"])


def test_with_several_prompts_the_one_that_is_not_used_is_not_told(tmp_path: Path) -> None:
    runs: dict[str, Kept] = {}
    tracker = Memory(runs)
    tracker.run_started(tmp_path, {"prompt": "Think.", "prompts": {"a": "One.", "b": "Two."}, "seed": 0})
    tracker.run_finished(tmp_path, None)
    (kept,) = runs.values()
    assert kept.params == {"prompts.a": "One.", "prompts.b": "Two.", "seed": 0}


def test_without_a_run_directory_it_is_tracked_too(asked: ModelServer) -> None:
    runs: dict[str, Kept] = {}
    result = run(asked, watcher=Memory(runs))
    (kept,) = runs.values()
    assert kept.summary == figures(result)
    assert kept.closed == ["complete"]


def test_an_error_of_the_tracker_is_one_line_and_does_not_end_the_run(
    asked: ModelServer, tmp_path: Path
) -> None:
    class Broken(Memory):
        secrets = ("my-password",)

        def open_run(self, run_id: str | None, name: str) -> Kept:
            raise ConnectionError(f"http://me:my-password@host refuses {KEY}\x1b[31m")

    whole = run(asked)
    with pytest.warns(RuntimeWarning, match="the run goes on") as caught:
        tracked = run(asked, run_dir=tmp_path / "run", watcher=Broken({}))
    (line,) = [str(one.message) for one in caught]
    assert "ConnectionError: http://me:[key]@host refuses [key]" in line
    assert "\x1b" not in line
    assert tracked.best_prompt == whole.best_prompt
    assert tracked.status == "complete"


def test_a_tracker_that_hangs_holds_up_the_end_for_a_while_only(
    asked: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tracking.PATIENCE, "complete", 0.3)
    let_go = threading.Event()

    class Hangs(Memory):
        def open_run(self, run_id: str | None, name: str) -> Kept:
            let_go.wait(60)
            return super().open_run(run_id, name)

    started = time.monotonic()
    try:
        with pytest.warns(RuntimeWarning, match=r"not all was sent within 0\.3 s\); the run goes on"):
            assert run(asked, watcher=Hangs({})).status == "complete"
        assert time.monotonic() - started < 30
    finally:
        let_go.set()


def test_a_run_that_fails_is_closed_as_failed(asked: ModelServer, tmp_path: Path) -> None:
    runs: dict[str, Kept] = {}
    asked.key = "another"
    with pytest.raises(gpo.GPOError):
        run(asked, run_dir=tmp_path / "run", watcher=Memory(runs))
    (kept,) = runs.values()
    assert kept.closed == ["failed"]


def test_an_unknown_tracker_and_a_missing_package_are_a_line_each(tmp_path: Path) -> None:
    def said(name: str) -> str:
        done = CliRunner().invoke(app, ["optimize", str(tmp_path / "gpo.yaml"), "--track", name])
        assert done.exception is not None
        return str(done.exception)

    assert said("tensorboard") == "--track 'tensorboard': must be mlflow or wandb"
    for module in ("mlflow", "wandb"):
        if not is_installed(module):
            line = f'needs {module}, which is not installed: pip install "gpo-prompts[{module}]"'
            assert said(module).endswith(line)
