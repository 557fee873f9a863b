"""The gate from outside: places that come back, calls that nobody's end would let go, lines that share rates."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from gpo.model.layers.endpoint_limiter import EndpointLimiter, RoleQueue
from gpo.model.layers.prefix_queue import LONG
from gpo.model.layers.rates import Rates

from .endpoint import Endpoint, ask_all, now, opened, virtually


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("prefix_group", ["", "a"])
async def test_a_place_that_is_given_to_a_call_cancelled_in_that_moment_comes_back(prefix_group: str) -> None:
    line = RoleQueue(limiter := EndpointLimiter(1), 1)
    await line.enter(0, prefix_group=prefix_group)
    second, third = (asyncio.create_task(line.enter(0, prefix_group=prefix_group)) for _ in range(2))
    await settle()
    line.leave(prefix_group)  # the place is the second's now, which does not know it yet
    second.cancel()
    await settle()
    assert second.cancelled()
    assert third.done()
    assert (line.in_flight, limiter.in_flight, line.waiting) == (1, 1, 0)
    line.leave(prefix_group)
    await asyncio.wait_for(line.enter(0, prefix_group=prefix_group), 5)


@pytest.mark.parametrize(("waiting", "under_way"), [(LONG, 1), (LONG + 1, 2)])
async def test_a_lane_that_becomes_long_is_begun_once_more_though_no_call_ends(
    waiting: int, under_way: int
) -> None:
    line = RoleQueue(EndpointLimiter(2), 2, double_below=0)
    await line.enter(0, prefix_group="a")
    calls = [asyncio.create_task(line.enter(0, prefix_group="a")) for _ in range(waiting)]
    await settle()
    assert line.in_flight == under_way
    for call in calls:
        call.cancel()
    await settle()


async def test_a_place_beside_a_short_lane_goes_to_a_long_one() -> None:
    line = RoleQueue(EndpointLimiter(3), 3, double_below=0)
    for prefix_group in ("short", "long"):
        await line.enter(0, prefix_group=prefix_group)
    calls = [asyncio.create_task(line.enter(0, prefix_group="short"))]
    await settle()
    calls += [asyncio.create_task(line.enter(0, prefix_group="long")) for _ in range(LONG + 1)]
    await settle()
    assert line.in_flight == 3
    assert not calls[0].done()
    for call in calls:
        call.cancel()
    await settle()


async def test_a_free_place_is_not_taken_before_the_rates_allow_it() -> None:
    rates = Rates(requests_per_minute=1)
    line = RoleQueue(EndpointLimiter(5), 5, rates)
    await line.enter(0)
    second = asyncio.create_task(line.enter(0))
    await settle()
    assert not second.done()
    assert (line.in_flight, line.held) == (1, "requests_per_minute")
    second.cancel()
    await settle()


def test_two_lines_that_share_rates_take_no_more_than_one() -> None:
    endpoint = Endpoint(latency=0.1)

    async def scenario() -> None:
        began = now()
        clock = asyncio.get_running_loop().time
        limiter = EndpointLimiter(8, adapts=True, clock=clock)
        rates = Rates(requests_per_minute=60, clock=clock)  # one at once, then one a second
        task, optimizer = (opened(endpoint, 8, limiter=limiter, rates=rates) for _ in range(2))
        await asyncio.gather(ask_all(task, ["t"] * 10), ask_all(optimizer, ["o"] * 10))
        assert now() - began < 30

    virtually(scenario)
    times = [at for at, _ in endpoint.arrivals]
    assert len(times) == 20
    assert min(later - earlier for earlier, later in pairwise(times)) > 0.99


def test_an_alarm_of_a_loop_that_is_over_is_not_waited_for() -> None:
    limiter = EndpointLimiter(1, adapts=True)
    line = RoleQueue(limiter, 1)

    async def closed_for(seconds: float) -> asyncio.Task[float]:
        limiter.limits.refused(limiter.limits.wave, seconds)
        call = asyncio.create_task(line.enter(0))
        await settle()
        assert not call.done()
        return call

    async def given_up() -> None:
        (await closed_for(0.1)).cancel()
        await settle()

    async def waits() -> None:
        await asyncio.wait_for(await closed_for(0.3), 10)
        line.leave()

    asyncio.run(given_up())
    asyncio.run(waits())
    assert line.in_flight == 0


@pytest.mark.parametrize(("double_below", "under_way"), [(None, 4), (0, 1), (2, 2), (3, 3)])
async def test_a_short_lane_is_doubled_below_a_bound_alone(double_below: int | None, under_way: int) -> None:
    # Without the bound, as at an endpoint with a cache for all, every place is used.
    line = RoleQueue(EndpointLimiter(4), 4, double_below=double_below)
    calls = [asyncio.create_task(line.enter(0, prefix_group="a")) for _ in range(6)]
    await settle()
    assert line.in_flight == under_way
    for call in calls:
        call.cancel()
    await settle()
