"""Cost and pace against numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpo.model.model import Message, Reply, Request, Usage
from gpo.report.pace import Pace, read_pace
from gpo.run.journal_writer import prompt_id
from gpo.storage.journal import Journal
from gpo.storage.journal_reader import JournalReader
from gpo.storage.records import RecordedScore

PRICED = {"model": "openai/x", "price": {"input": 1.0, "output": 10.0, "cached_input": 0.5}}
UNPRICED = {"model": "somewhere", "base_url": "http://127.0.0.1:1/v1"}


async def put(
    journal: Journal, role: str, text: str, started: float, seconds: float, source: str = "sent"
) -> str:
    request = Request(messages=(Message("user", text),))
    usage = Usage(prompt_tokens=1000, completion_tokens=100, cached_tokens=400)
    reply = Reply(texts=("x",), usage=usage, seconds=seconds, source=source)  # type: ignore[arg-type]
    key = request.key(text)
    await journal.put_call(role, request, reply, key=key, started=started)
    return key


async def written(path: Path) -> Pace:
    journal = Journal(path)

    async def scored(prompt: str, split: str, started: float, source: str = "sent") -> None:
        key = await put(journal, "task", f"{prompt}/{split}", started, 2.0, source)
        journal.put_score(RecordedScore(prompt_id(prompt), split, "1", 1.0, "x", False, (key,)))

    await scored("initial", "dev", 100.0)
    await put(journal, "optimizer", "meta 0", 102.0, 4.0)
    await scored("first", "dev", 106.0)
    await scored("second", "dev", 106.0, "store")
    await put(journal, "optimizer", "meta 1", 108.0, 2.0)
    await scored("third", "dev", 110.0)
    await scored("third", "test", 112.0)
    await put(journal, "optimizer", "meta 2", 114.0, 2.0)
    await scored("not in a finished step", "dev", 116.0)
    await journal.flush()
    journal.close()
    with JournalReader(path) as reader:
        known = {"initial": None, "first": 0, "second": 0, "third": 1}
        return read_pace(reader, known, {"models": {"task": PRICED, "optimizer": UNPRICED}})


async def test_calls_belong_to_the_step_that_made_them(tmp_path: Path) -> None:
    pace = await written(tmp_path / "journal.sqlite")
    counts = {
        phase: {role: (u.tally.calls, u.tally.cached) for role, u in roles.items()}
        for phase, roles in pace.phases
    }
    assert counts == {
        "initial": {"task": (1, 0)},
        0: {"task": (1, 1), "optimizer": (1, 0)},
        1: {"task": (1, 0), "optimizer": (1, 0)},
        2: {"task": (1, 0), "optimizer": (1, 0)},
        "test": {"task": (1, 0)},
    }
    assert [phase for phase, _ in pace.phases] == ["initial", 0, 1, 2, "test"]


async def test_dollars_and_cached_share(tmp_path: Path) -> None:
    pace = await written(tmp_path / "journal.sqlite")
    # five sent task calls, each (600 × 1 + 400 × 0.5 + 100 × 10) / 10⁶ dollars
    assert pace.roles["task"].usd == pytest.approx(5 * 1800e-6)
    assert pace.roles["task"].cached_share == pytest.approx(0.4)
    assert pace.roles["task"].tokens == 5500
    assert pace.roles["optimizer"].usd is None
    assert pace.seconds_per_call["task"] == (2.0, 2.0)


async def test_concurrency_integrates_to_the_time_under_way(tmp_path: Path) -> None:
    pace = await written(tmp_path / "journal.sqlite")
    assert sum(pace.concurrency) * pace.bin_seconds == pytest.approx(5 * 2 + 4 + 2 + 2)
    assert max(pace.concurrency) == pytest.approx(1.0)
    assert len(pace.concurrency) * pace.bin_seconds == pytest.approx(18.0)
