"""Long replies are read beside the loop, one at a time."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

import gpo
from gpo.model.threads import read_apart


async def test_long_replies_are_read_one_at_a_time_and_the_loop_goes_on() -> None:
    under_way, most, turns = 0, 0, 0
    lock = threading.Lock()

    def read(number: int) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.02)
        with lock:
            under_way -= 1
        return number

    jobs = [asyncio.create_task(read_apart(read, number)) for number in range(4)]
    while not all(job.done() for job in jobs):
        turns += 1
        await asyncio.sleep(0.001)
    assert [job.result() for job in jobs] == [0, 1, 2, 3]
    assert most == 1
    assert turns > 4


async def test_what_fails_in_the_thread_fails_here() -> None:
    with pytest.raises(ZeroDivisionError):
        await read_apart(divmod, 1, 0)


async def test_the_answer_in_a_long_reply_is_found_in_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    rows = [{"input": f"{number}?", "target": "left"} for number in range(4)]
    task = gpo.Task.from_rows(
        {"train": rows, "dev": rows, "test": rows},
        answer={"kind": "text"},
        metric="rouge_l",
        allow_overlap=True,
    )
    reads: Any = type(task.answer).read

    def read(*arguments: Any, **keywords: Any) -> Any:
        seen.add(threading.current_thread().name)
        return reads(*arguments, **keywords)

    monkeypatch.setattr(type(task.answer), "read", read)
    for words, reader in ((3, threading.current_thread().name), (60_000, "gpo-reader-1")):
        seen.clear()

        def answer(messages: object, words: int = words) -> str:
            return "word " * words

        found = await gpo.aevaluate(task, prompt="Left or right?", model=answer, split="dev")
        assert found.interval.mean == 0
        assert seen == {reader}
