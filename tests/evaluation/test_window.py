"""Many jobs, a bounded number of them alive."""

from __future__ import annotations

import asyncio

import pytest

from gpo.evaluation.window import gather_window


async def test_all_jobs_are_done_in_their_order_with_no_more_alive_than_the_window() -> None:
    alive, most, done = 0, 0, []

    async def job(number: int) -> None:
        nonlocal alive, most
        alive += 1
        most = max(most, alive)
        await asyncio.sleep(0)
        alive -= 1
        done.append(number)

    await gather_window((job(number) for number in range(7)), window=3)
    assert done == list(range(7))
    assert most == 3


async def test_the_first_error_is_raised_and_no_later_job_begins() -> None:
    begun = []

    async def job(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(0)
        if number == 1:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await gather_window((job(number) for number in range(100)), window=2)
    assert len(begun) < 6
