"""A plan is composed as often as it is run: running it leaves it as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gpo.config.schema import BudgetConfig
from gpo.run.compose import compose_sending
from gpo.run.directory import RunDirectory
from gpo.run.optimize import Run
from tests.reliability.support import landscape_server, plan


async def test_one_plan_is_run_twice_under_a_cap(tmp_path: Path) -> None:
    with landscape_server() as server:
        made = plan(server, tmp_path)
        first = await Run(made, RunDirectory(tmp_path / "free"), use_shared_store=False).execute()
        used = first.usage.task.calls + first.usage.optimizer.calls
        # Enough for one run and not for two: what the first one spent must not count in the second.
        made = replace(made, budget=BudgetConfig(max_calls=used))
        before = [(opened, opened.client, opened.queue) for opened in made.models.values()]
        for name in ("one", "two"):
            result = await Run(made, RunDirectory(tmp_path / name), use_shared_store=False).execute()
            assert (result.status, result.best_prompt) == ("complete", first.best_prompt)
            assert (result.scores, result.usage) == (first.scores, first.usage)
        for (opened, client, queue), now in zip(before, made.models.values(), strict=True):
            assert opened is now
            assert (client, queue) == (now.client, now.queue)


async def test_composing_changes_nothing_in_what_is_opened(tmp_path: Path) -> None:
    opened = plan("http://127.0.0.1:1/v1", tmp_path).task_model
    lines, client = list(opened.queue.limiter.lines), opened.client
    one, two = compose_sending(opened), compose_sending(opened)
    assert opened.queue.limiter.lines == lines
    assert opened.client is client
    assert one.limited is not two.limited
    assert len(lines) == 2, "one a role, as both are at one endpoint"


def test_a_plan_warns_of_nothing_but_a_start_prompt_that_is_too_long(tmp_path: Path) -> None:
    assert plan("http://127.0.0.1:1/v1", tmp_path).warnings == ()
    (line,) = plan("http://127.0.0.1:1/v1", tmp_path, prompt="word " * 201).warnings
    assert "the start prompt has 201 words" in line
