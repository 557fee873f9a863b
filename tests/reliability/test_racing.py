"""`evaluation: racing` from outside: fewer calls, marked scores, and the same result after a kill."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gpo.errors import ConfigError
from gpo.evaluation.race import pairs
from gpo.report.data import read_run
from gpo.run.estimate.estimate import estimate
from gpo.storage.journal_reader import JournalReader

from .support import ROWS, landscape_server, plan, run, timeless
from .test_stops import result, start, wait_for_calls, write_configuration

RACE: dict[str, Any] = {
    "evaluation": "racing",
    "optimize": {"epochs": 1, "batch_size": 3, "candidates": 8, "resamples": 1},
}
STEPS = 2


async def test_a_race_asks_what_the_heats_say_and_marks_what_rests_on_a_part(tmp_path: Path) -> None:
    with landscape_server() as server:
        found = await run(server, tmp_path, **RACE)
        most = estimate(plan(server, tmp_path, **RACE)).task.most.calls
    steps = read_run(tmp_path / "run").steps
    scored = [[item for item in step.candidates if item.rejected is None] for step in steps]
    asked = ROWS["dev"] * 1 + sum(pairs(len(items), ROWS["dev"]) for items in scored)
    asked += ROWS["test"] * (1 if found.best_prompt == found.initial_prompt else 2)
    # A candidate may come up again: it is not asked twice.
    assert found.usage.task.calls <= asked <= most
    for step, items in zip(steps, scored, strict=True):
        partial = [item for item in items if item.score is None]
        complete = [item for item in items if item.score is not None]
        assert partial
        assert len(complete) >= 2
        assert all(item.estimate is not None and item.estimate_rows == 4 for item in partial)
        assert step.chosen in {item.prompt for item in complete}, "only a full score is chosen"
        assert step.chosen_score == max(item.score or 0 for item in complete)
    assert found.best_prompt not in {item.prompt for items in scored for item in items if item.score is None}


def test_a_killed_race_ends_as_the_undisturbed_one(tmp_path: Path) -> None:
    with landscape_server(delay=0.01) as server:
        write_configuration(tmp_path, server, model={"concurrency": 4}, **RACE)
        whole = start(tmp_path, name="whole")
        _, told = whole.communicate(timeout=60)
        assert whole.returncode == 0, told
        calls = server.stats.calls
        for share in (0.3, 0.6):
            process = start(tmp_path)
            wait_for_calls(server, calls + int(share * calls), process)
            process.kill()
            process.communicate(timeout=60)
        last = start(tmp_path)
        _, told = last.communicate(timeout=60)
        assert last.returncode == 0, told
    assert json.dumps(result(tmp_path)) == json.dumps(result(tmp_path, "whole"))
    with JournalReader(tmp_path / "run" / "journal.sqlite") as reader:
        assert len({line.key for line in reader.ledger()}) == sum(1 for _ in reader.ledger())


async def test_the_order_of_completion_does_not_matter(tmp_path: Path) -> None:
    found = []
    for number, concurrency in enumerate((1, 3, 16)):
        with landscape_server(delay=0.002 * number) as server:
            folder = tmp_path / str(number)
            told = timeless(await run(server, folder, model={"concurrency": concurrency}, **RACE))
            found.append({key: told[key] for key in ("best_prompt", "scores", "steps", "usage")})
    assert found[0] == found[1] == found[2]


def test_a_published_protocol_does_not_race(tmp_path: Path) -> None:
    with (
        landscape_server() as server,
        pytest.raises(ConfigError, match=r"evaluation: racing .* opro-original"),
    ):
        plan(server, tmp_path, evaluation="racing", method="opro-original")
    with landscape_server() as server:
        assert not plan(server, tmp_path, evaluation="racing", method="empty").racing
