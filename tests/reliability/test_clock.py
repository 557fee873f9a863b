"""A wall clock that somebody sets, by hours, while a run goes on or between two processes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gpo.errors import BudgetError
from gpo.model.model import Reply, Request
from gpo.storage.journal import Journal
from gpo.storage.journal_reader import JournalReader

from .support import landscape_server, run

HOURS = 5 * 3600.0
WALL = time.time


def setting(shift: Callable[[int], float], monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall clock is off by `shift(calls so far)` seconds."""
    calls = 0

    def now() -> float:
        nonlocal calls
        calls += 1
        return WALL() + shift(calls)

    monkeypatch.setattr(time, "time", now)


SHIFTS = {
    "back": lambda call: -HOURS * (call > 3),
    "forward": lambda call: HOURS * (call > 3),
    "to and fro": lambda call: HOURS * (-1) ** call,
}


@pytest.mark.parametrize("name", SHIFTS)
async def test_a_clock_set_during_a_run_neither_stops_it_nor_lets_it_run_on(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with landscape_server(delay=0.02) as server:
        setting(SHIFTS[name], monkeypatch)
        started = time.monotonic()
        result = await run(server, tmp_path, budget={"max_seconds": 60})
        assert result.status == "complete"
        assert 0.1 < result.seconds <= time.monotonic() - started
        with JournalReader(tmp_path / "run" / "journal.sqlite") as reader:
            assert reader.seconds() == pytest.approx(result.seconds, abs=5)
        with pytest.raises(BudgetError, match="max_seconds"):
            await run(server, tmp_path, "capped", budget={"max_seconds": 0.3}, model={"concurrency": 1})


@pytest.mark.parametrize("hours", [-HOURS, HOURS])
async def test_time_over_processes_is_the_sum_of_what_each_measured(
    hours: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.sqlite"
    for session in range(3):
        setting(lambda call, session=session: hours * session, monkeypatch)  # type: ignore[misc]
        with Journal(path) as journal:
            assert 0.2 * session - 0.01 < journal.seconds() < 60
            journal.start_session()
            await asyncio.sleep(0.1)
            await journal.put_call(
                "task", Request(purpose="score"), Reply(texts=("a",)), key=f"{session}", started=journal.now()
            )
            await asyncio.sleep(0.1)
    with JournalReader(path) as reader:
        assert 0.59 < reader.seconds() < 60
        times = [line.started for line in reader.ledger()]
        assert times == sorted(times)


@pytest.mark.parametrize("hours", [-HOURS, HOURS])
async def test_a_capped_run_goes_on_for_what_is_left(
    hours: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with landscape_server(delay=0.05) as server:
        with pytest.raises(BudgetError, match="max_calls"):
            await run(server, tmp_path, budget={"max_calls": 9, "max_seconds": 60}, model={"concurrency": 2})
        setting(lambda call: hours, monkeypatch)
        started = time.monotonic()
        result = await run(server, tmp_path, budget={"max_seconds": 60})
        assert result.status == "complete"
        assert result.seconds < time.monotonic() - started + 5
        # And what was used of the seconds before the clock was set is not given again.
        assert result.seconds > time.monotonic() - started


@pytest.mark.parametrize("at", [-1e9, 2.2e11])
async def test_a_clock_that_is_beyond_all_times_makes_a_run_that_can_be_read(
    at: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: at)
    with landscape_server() as server:
        result = await run(server, tmp_path)
    assert result.status == "complete"
    monkeypatch.undo()
    with JournalReader(tmp_path / "run" / "journal.sqlite") as reader:
        assert reader.seconds() == pytest.approx(result.seconds, abs=5)
        assert len(list(reader.ledger())) > 50
