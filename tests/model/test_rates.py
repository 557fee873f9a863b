"""Requests and tokens a minute: the bucket by hand, its laws over random histories, and calls in virtual time."""

from __future__ import annotations

import asyncio
from bisect import bisect_left

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpo.model.layers.rates import Bucket, Rates
from gpo.model.model import Message, Request, Usage

from .endpoint import Endpoint, ask, ask_all, now, opened, virtually


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_bucket_by_hand() -> None:
    # One second's share of 600 a minute is 10; what may leave at once is not filled in again: 591 in 60 s.
    bucket = Bucket(600, clock=(clock := Clock()))
    for _ in range(10):
        assert bucket.delay(1) == 0
        bucket.take(1)
    assert bucket.delay(1) == pytest.approx(60 / 591)
    clock.at += 60 / 591
    assert bucket.delay(1) == 0
    clock.at += 3600
    bucket.take(10)  # no more than that was kept
    assert bucket.delay(1) == pytest.approx(60 / 591)


def test_one_a_minute() -> None:
    bucket = Bucket(1, clock=(clock := Clock()))
    bucket.take(1)
    assert bucket.delay(1) == 60
    clock.at += 59
    assert bucket.delay(1) == pytest.approx(1)


def test_what_no_bucket_holds_leaves_from_a_full_one_and_is_paid_off() -> None:
    bucket = Bucket(60, clock=(clock := Clock()))
    assert bucket.delay(30) == 0
    bucket.take(30)
    assert bucket.delay(1) == 30
    assert bucket.delay(30) == 30
    bucket.take(-10)  # it used 20
    assert bucket.delay(1) == 20
    clock.at += 20
    assert bucket.delay(1) == pytest.approx(0)


def most_in_a_minute(times: list[float], amounts: list[float]) -> float:
    """The most that left in any 60 s, both ends counted."""
    sums = [0.0]
    for amount in amounts:
        sums.append(sums[-1] + amount)
    ends = [bisect_left(times, at + 60 + 1e-9) for at in times]
    return max((sums[end] - sums[start] for start, end in enumerate(ends)), default=0.0)


@given(
    st.integers(1, 5000),
    st.lists(st.tuples(st.floats(0, 90), st.integers(1, 300)), max_size=12),
)
def test_no_minute_has_more_requests_than_allowed(per_minute: int, bursts: list[tuple[float, int]]) -> None:
    bucket = Bucket(per_minute, clock=(clock := Clock()))
    times = []
    for pause, size in bursts:
        clock.at += pause
        for _ in range(size):
            clock.at += bucket.delay(1)
            bucket.take(1)
            times.append(clock.at)
    assert most_in_a_minute(times, [1.0] * len(times)) <= per_minute + 1 + 1e-3


@given(
    st.integers(1, 100_000),
    st.lists(st.tuples(st.floats(0, 90), st.floats(1, 5000)), max_size=40),
)
def test_no_minute_has_more_tokens_than_allowed(per_minute: int, calls: list[tuple[float, float]]) -> None:
    bucket = Bucket(per_minute, clock=(clock := Clock()))
    times, amounts = [], []
    for pause, amount in calls:
        clock.at += pause
        clock.at += bucket.delay(amount)
        bucket.take(amount)
        times.append(clock.at)
        amounts.append(amount)
    # A call that is larger than the bucket has to leave at some time: it may be over by itself.
    largest = max(amounts, default=0.0)
    assert most_in_a_minute(times, amounts) <= per_minute + 1 + largest + 1e-3


def test_tokens_are_estimated_high_at_first_and_by_experience_later() -> None:
    rates = Rates(tokens_per_minute=60_000, clock=(clock := Clock()))  # 1000 at once, 983.35 a second
    request = Request(messages=(Message("user", "x" * 300),), max_tokens=100, n=2)
    size = rates.size(request)
    assert size == 500
    assert rates.size(Request(prompt="x" * 300, max_tokens=100)) == 400
    estimate = rates.take(size)
    assert estimate == 500
    rates.settle(size, estimate, Usage(prompt_tokens=80, completion_tokens=20))  # a fifth of its size
    estimate = rates.take(size)
    assert estimate == 100
    rates.settle(size, estimate, Usage())  # unknown: the estimate stands
    assert rates.take(size) == 100
    # 300 have been used of 1000; a call of 4000 is taken to need 800.
    seconds, key = rates.delay(4000)
    assert seconds == pytest.approx(100 * 60 / 59_001)
    assert key == "tokens_per_minute"
    rates.refuse(100)
    assert rates.delay(4000) == (0.0, "")
    clock.at += 60
    rates.settle(size, rates.take(size), Usage(prompt_tokens=5000))  # more than thought: a debt
    assert rates.delay(1)[0] > 4


def test_without_limits_nothing_waits() -> None:
    rates = Rates()
    assert rates.size(ask()) == 0
    rates.settle(0, rates.take(0), Usage(prompt_tokens=10**9))
    assert rates.delay(0) == (0.0, "")


@settings(max_examples=25)
@given(
    st.integers(5, 3000),
    st.integers(1, 20),
    st.sampled_from([0.01, 1.0, 30.0]),
    st.sampled_from([None, 2, 5]),
)
def test_calls_keep_to_requests_per_minute(
    per_minute: int, concurrency: int, latency: float, most_at_once: int | None
) -> None:
    endpoint = Endpoint(latency=latency, jitter=latency, most_at_once=most_at_once)
    texts = [str(i) for i in range(80)]

    async def scenario() -> None:
        clock = asyncio.get_running_loop().time
        model = opened(endpoint, concurrency, rates=Rates(requests_per_minute=per_minute, clock=clock))
        assert await ask_all(model, texts) == [f"re: {text}" for text in texts]

    virtually(scenario)
    times = [at for at, _ in endpoint.arrivals]
    assert most_in_a_minute(times, [1.0] * len(times)) <= per_minute + 1 + 1e-3
    assert list(dict.fromkeys(text for _, text in endpoint.arrivals)) == texts
    assert endpoint.most_in_flight <= concurrency


def test_tokens_per_minute_are_used_up_and_not_exceeded() -> None:
    endpoint = Endpoint(latency=2.0, tokens=100)

    async def scenario() -> tuple[float, float, str]:
        clock = asyncio.get_running_loop().time
        model = opened(endpoint, 50, rates=Rates(tokens_per_minute=60_000, clock=clock))
        asking = asyncio.create_task(ask_all(model, [str(i) for i in range(3000)]))
        await asyncio.sleep(60)
        held = model.limited.state.held
        started = now() - 60
        await asking
        return now() - started, model.limited.state.waited_seconds, held

    seconds, waited, held = virtually(scenario)
    times = [at for at, _ in endpoint.arrivals]
    # What was estimated too high comes back when it is answered: up to a bucket more than in an even flow.
    assert most_in_a_minute(times, [100.0] * len(times)) <= 60_000 + 1_000
    # 300,000 tokens at 60,000 a minute are five minutes, and a little more until the estimates are right.
    assert 295 < seconds < 320
    assert 200 < waited < seconds
    assert held == "tokens_per_minute"


def test_an_absurd_usage_holds_up_for_a_minute_at_most() -> None:
    rates = Rates(tokens_per_minute=6_000, clock=(clock := Clock()))
    rates.settle(100, rates.take(100), Usage(prompt_tokens=2**40, completion_tokens=0))
    # 6,000 at 98.35 a second (5,901 in 60 s, and the 100 of a full bucket before the next call may leave).
    assert rates.delay(100)[0] == pytest.approx(6_000 / (5_901 / 60))
    clock.at += 62
    assert rates.delay(100) == (0.0, "")
