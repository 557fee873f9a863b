"""What a run writes down for people: which step brought a prompt up, and how long it all took."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from gpo.errors import BudgetError
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.run.optimize import Run
from gpo.storage.journal_reader import JournalReader
from tests.support.server import ModelServer

from .support import PROMPT, plan, run
from .test_estimate import answer

LONGER: dict[str, Any] = {"optimize": {"epochs": 2, "batch_size": 3, "candidates": 3, "resamples": 1}}


def first_steps(folder: Path) -> dict[str, int | None]:
    connection = sqlite3.connect(folder / "run" / "journal.sqlite")
    with connection:
        found = dict(connection.execute("SELECT text, first_step FROM prompts").fetchall())
    connection.close()
    return found


@pytest.mark.parametrize(
    "method", [{"trajectory": "recency"}, {"name": "opro-original", "steps": 3, "samples": 2}]
)
async def test_a_prompt_is_kept_with_the_step_that_brought_it_up(method: Any, tmp_path: Path) -> None:
    with ModelServer(answer=answer) as server:
        for cap in (12, 30, 45):
            with pytest.raises(BudgetError):
                await run(server, tmp_path, budget={"max_calls": cap}, method=method, **LONGER)
        await run(server, tmp_path, method=method, **LONGER)
    with JournalReader(tmp_path / "run" / "journal.sqlite") as journal:
        steps, order = journal.steps(), list(journal.prompts().values())
    expected: dict[str, int | None] = {PROMPT: None}
    for number, step in steps.items():
        for item in step["candidates"]:
            if item["rejected"] is None:
                expected.setdefault(item["prompt"], number)
    found = first_steps(tmp_path)
    assert found == expected
    assert len({step for step in found.values() if step is not None}) > 1
    assert order[0] == PROMPT
    assert [found[prompt] for prompt in order[1:]] == sorted(expected[prompt] or 0 for prompt in order[1:])


async def test_a_run_that_the_store_answered_took_time_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))

    async def again(name: str, **sections: Any) -> Result:
        found = plan(server, tmp_path, method="cot", **sections)
        return await Run(found, RunDirectory(tmp_path / name)).execute()

    with ModelServer(answer=answer) as server:
        await again("first")
        asked = server.stats.calls
        second = await again("second")
        assert server.stats.calls == asked
    assert second.usage.task.calls == 0
    assert second.seconds > 0
    assert (await again("second")).seconds == second.seconds, "a complete run keeps what it took"
    (tmp_path / "second" / "result.json").unlink()
    assert (await again("second")).seconds > second.seconds, "and a replay adds to it"


async def test_seconds_are_those_of_all_processes(tmp_path: Path) -> None:
    with ModelServer(answer=answer, delay=0.05) as server:
        with pytest.raises(BudgetError):
            await run(server, tmp_path, budget={"max_calls": 4}, model={"concurrency": 1})
        first = json.loads((tmp_path / "run" / "result.json").read_text())["seconds"]
        server.delay = 0.0
        result = await run(server, tmp_path)
    # Four calls, one after the other; a clock of the server's and one of ours.
    assert first > 4 * 0.04
    assert result.seconds > first
