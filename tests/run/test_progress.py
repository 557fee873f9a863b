"""The numbers that a display reads while a run goes on, against sums by hand."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gpo.optimizer.search import StepRecord
from gpo.run.directory import RunDirectory
from gpo.run.optimize import Run
from gpo.run.progress import Progress
from gpo.run.watcher import Watcher
from tests.reliability.support import landscape_server, plan
from tests.support.server import Faults


class Watching(Watcher):
    """Notes how far the run is at the end of each step."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.steps: list[tuple[int, int]] = []

    def note(self, line: str) -> None:
        pass

    def step_finished(self, record: StepRecord) -> None:
        # Listeners hear of a step before what is left is counted anew: this is the plan from before the step.
        self.steps.append((record.step, self.progress.pairs_planned))


def test_a_run_that_has_not_begun_has_done_nothing() -> None:
    fresh = Progress()
    counts = ("step", "steps", "pairs_done", "pairs_planned", "calls", "cached", "replayed", "tokens")
    assert [getattr(fresh, name) for name in counts] == [0] * len(counts)
    assert (fresh.saved_tokens, fresh.usd, fresh.retries) == (0, 0.0, 0)
    assert (fresh.phase, fresh.limit, fresh.best_score, fresh.seconds_left) == ("starting", None, None, None)


def test_the_time_that_is_left_goes_by_the_pace_so_far() -> None:
    going = Progress(started=time.monotonic() - 20, pairs_done=10, pairs_planned=25)
    assert going.seconds == pytest.approx(20, abs=1)
    assert going.seconds_left == pytest.approx(30, abs=2)  # 15 pairs at two seconds each
    going.pairs_planned = 8
    assert going.seconds_left == 0, "more was done than planned"
    going.pairs_done = 9
    assert going.seconds_left is None, "nine pairs are no pace yet"
    going.phase = "done"
    assert going.seconds_left == 0


async def test_the_plan_of_a_run_follows_what_is_asked_for(tmp_path: Path) -> None:
    watching = Watching()
    price = {"price": {"input": 1.0, "output": 10.0}}
    with landscape_server(faults=Faults(rates={"500": 0.1}, seed=1)) as server:
        run = Run(
            plan(server, tmp_path, model=price),
            RunDirectory(tmp_path / "run"),
            progress=watching.progress,
            watcher=watching,
            use_shared_store=False,
        )
        result = await run.execute()
        progress = watching.progress
        # 8 dev rows; 2 steps of 3 candidates on them; 2 prompts on 10 test rows.
        first = 8 + 2 * 3 * 8 + 2 * 10
        assert watching.steps[0] == (0, first)
        rejected = sum(step["candidates_rejected"] for step in result.steps[:1])
        scored = result.steps[0]["candidates_scored"]
        assert scored + rejected >= 3
        assert watching.steps[1] == (1, 8 + 8 * scored + 3 * 8 + 2 * 10), "a step is left, and the test"
        prompts = len({result.initial_prompt, result.best_prompt})
        done = 8 + 8 * sum(step["candidates_scored"] for step in result.steps) + 10 * prompts
        assert (progress.pairs_done, progress.pairs_planned) == (done, done)
        assert (progress.phase, progress.steps, progress.step) == ("done", 2, 1)
        assert progress.seconds_left == 0
        assert progress.calls == result.usage.task.calls + result.usage.optimizer.calls
        assert progress.retries == server.stats.outcomes["500"] > 0
        assert progress.usd == pytest.approx((result.usage.task.usd or 0) + (result.usage.optimizer.usd or 0))
        assert progress.tokens == server.stats.prompt_tokens + server.stats.completion_tokens
        assert progress.best_score == result.scores.best.dev
        assert progress.initial_score == result.scores.initial.dev


async def test_a_complete_run_is_done_at_once(tmp_path: Path) -> None:
    with landscape_server() as server:
        made = plan(server, tmp_path)
        result = await Run(made, RunDirectory(tmp_path / "run"), use_shared_store=False).execute()
        calls = server.stats.calls
        again = Run(made, RunDirectory(tmp_path / "run"), use_shared_store=False)
        assert (await again.execute()).to_dict() == result.to_dict()
        assert (again.progress.phase, server.stats.calls) == ("done", calls)
