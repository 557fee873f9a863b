"""Many jobs in their order, a bounded number of them alive."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from itertools import islice


async def gather_window(jobs: Iterator[Awaitable[None]], window: int) -> None:
    """Run `jobs` in their order with at most `window` of them alive; the first error cancels the rest and is raised."""

    async def work(job: Awaitable[None]) -> None:
        await job
        # Each worker goes on with whatever is next: waiting for "any of a thousand tasks" instead costs a callback
        # on each of them for every one that ends.
        for following in jobs:
            await following

    workers = [asyncio.ensure_future(work(job)) for job in islice(jobs, window)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        # Several may fail at once and one error is raised: asyncio would complain of the others, forgotten.
        await asyncio.gather(*workers, return_exceptions=True)
