"""The limit of an endpoint: its arithmetic by hand, its laws over random histories, and calls in virtual time."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpo.errors import PermanentModelError, TransientModelError
from gpo.model.layers.adaptive import CAUTION, Adaptive
from gpo.model.layers.endpoint_limiter import EndpointLimiter
from gpo.model.layers.limits import LimitedModel
from gpo.model.layers.retry import RetrySettings

from .endpoint import Endpoint, ask, ask_all, now, opened, queue, virtually


class Clock:
    """Time that passes when a test says so."""

    def __init__(self, at: float = 100.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def answers(limits: Adaptive, count: int) -> None:
    for _ in range(count):
        limits.answered(limits.wave)


def test_a_refusal_halves_once_a_wave() -> None:
    limits = Adaptive(64)
    assert [limits.refused(0) for _ in range(40)] == [True] * 40
    assert (limits.limit, limits.backoffs, limits.wave) == (32, 1, 1)
    limits.refused(1)
    limits.refused(0)
    assert (limits.limit, limits.lowest, limits.backoffs) == (16, 16, 2)


def test_at_one_a_refusal_speaks_for_itself() -> None:
    limits = Adaptive(3)
    assert limits.refused(0) is True
    assert limits.limit == 1
    assert limits.refused(1) is False
    assert limits.limit == 1


def test_every_limit_answers_raise_it_by_one() -> None:
    limits = Adaptive(8)
    limits.refused(0)
    assert limits.limit == 4
    answers(limits, 3)
    assert limits.limit == 4
    answers(limits, 1)
    assert limits.limit == 5
    answers(limits, 5 + 6)
    assert limits.limit == 7
    # The next step was refused last time: it is taken more carefully, and an eighth is taken back if it was too far.
    answers(limits, CAUTION * 7 - 1)
    assert limits.limit == 7
    answers(limits, 1)
    assert limits.limit == 8
    limits.refused(limits.wave)
    assert limits.limit == 7
    # Refused where it held before: halved.
    limits.refused(limits.wave)
    assert limits.limit == 3


def test_answers_from_before_the_back_off_raise_nothing() -> None:
    limits = Adaptive(4)
    limits.refused(0)
    for _ in range(100):
        limits.answered(0)
    assert limits.limit == 2


def test_other_failures_hold_growth_and_take_nothing_away() -> None:
    limits = Adaptive(8)
    limits.troubled()
    assert limits.limit == 8
    limits.refused(0)
    answers(limits, 8)  # what was held when the limit was 8
    answers(limits, 3)
    limits.troubled()
    answers(limits, 4)
    assert limits.limit == 4
    answers(limits, 1)
    assert limits.limit == 5


def test_nobody_leaves_before_the_time_that_the_server_names() -> None:
    limits = Adaptive(8, clock=(clock := Clock()))
    assert limits.seconds_closed == 0
    limits.refused(0, 20.0)
    clock.at += 5
    limits.refused(0, 3.0)  # the longer one stands
    assert limits.seconds_closed == 15
    limits.troubled(30.0)
    assert limits.seconds_closed == 30
    clock.at += 30
    assert limits.seconds_closed == 0


def test_giving_way_in_vain_is_followed_by_longer_and_longer_pauses() -> None:
    limits = Adaptive(2, first_pause=0.5, clock=(clock := Clock()))
    pauses = []
    for _ in range(10):
        limits.refused(limits.wave)
        pauses.append(limits.seconds_closed)
        clock.at += 100
    assert pauses == [0, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    answers(limits, 1)
    limits.refused(limits.wave)
    assert limits.seconds_closed == 0


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["answer", "late answer", "refusal", "late refusal", "trouble"]), st.integers(1, 12)
    ),
    max_size=25,
)


@given(st.integers(1, 40), EVENTS)
def test_the_laws_of_the_limit(ceiling: int, events: list[tuple[str, int]]) -> None:
    limits = Adaptive(ceiling, clock=Clock())
    for kind, times in events:
        for _ in range(times):
            before, wave = limits.limit, limits.wave - kind.startswith("late")
            if kind.endswith("answer"):
                limits.answered(wave)
                assert before <= limits.limit <= before + (not kind.startswith("late"))
            elif kind.endswith("refusal"):
                limits.refused(wave)
                assert (
                    limits.limit == before
                    if wave < 0 or kind.startswith("late")
                    else limits.limit < before or before == 1
                )
            else:
                limits.troubled()
                assert limits.limit == before
            assert 1 <= limits.lowest <= limits.limit <= ceiling
    # Whatever was: held for at most `ceiling` answers, `limit` of them a step, one step taken carefully.
    answers(limits, ceiling + ceiling * (ceiling + 1) // 2 + CAUTION * ceiling)
    assert limits.limit == ceiling


REGIMES = st.builds(
    Endpoint,
    latency=st.sampled_from([0.05, 1.0, 20.0]),
    jitter=st.sampled_from([0.0, 2.0]),
    most_at_once=st.sampled_from([None, 1, 2, 5]),
    per_second=st.sampled_from([None, 1, 3, 20]),
    retry_after=st.sampled_from([None, 0.5, 30.0]),
    broken=st.sampled_from([0.0, 0.1]),
    seed=st.integers(0, 5),
)


@settings(max_examples=40)
@given(REGIMES, st.integers(1, 12), st.integers(1, 40))
def test_all_calls_end_well_in_their_order_whatever_the_endpoint_admits(
    endpoint: Endpoint, concurrency: int, count: int
) -> None:
    texts = [f"{i}" for i in range(count)]

    async def scenario() -> int:
        model = opened(endpoint, concurrency)
        assert await ask_all(model, texts) == [f"re: {text}" for text in texts]
        assert (model.limited.in_flight, model.limited.waiting) == (0, 0)
        # The regime is over: the limit comes back.
        endpoint.most_at_once = endpoint.per_second = None
        endpoint.broken = 0.0
        await ask_all(model, ["more"] * (2 * concurrency + concurrency**2 // 2 + (CAUTION + 1) * concurrency))
        return model.limited.state.now

    assert virtually(scenario) == concurrency
    assert endpoint.most_in_flight <= concurrency
    first = list(dict.fromkeys(text for _, text in endpoint.arrivals))
    assert first[:count] == texts
    if endpoint.retry_after is not None:
        for refused in endpoint.refusals:
            asked = refused + endpoint.retry_after - 1e-6
            assert not any(refused < at < asked for at, _ in endpoint.arrivals)


def test_after_settling_few_calls_are_refused() -> None:
    endpoint = Endpoint(most_at_once=10, jitter=0.5)

    async def scenario() -> float:
        model = opened(endpoint, 64)
        await ask_all(model, [str(i) for i in range(200)])
        endpoint.refusals.clear()
        started = now()
        await ask_all(model, [str(i) for i in range(1000)])
        return now() - started

    seconds = virtually(scenario)
    assert len(endpoint.refusals) < 30
    # 1000 calls of 1.25 s on average, ten at once, take 125 s at best.
    assert seconds < 1.3 * 125


def test_a_call_that_waits_to_be_made_again_takes_up_no_place() -> None:
    endpoint = Endpoint(latency=1.0)

    async def scenario() -> None:
        class Once:
            identity = "virtual/once"
            failed = False

            async def complete(self, request):  # type: ignore[no-untyped-def]
                if not self.failed:
                    self.failed = True
                    raise TransientModelError("HTTP 500", status=500)
                return await endpoint.complete(request)

            async def aclose(self) -> None:
                pass

        retry = RetrySettings(first_delay=1000.0, longest_delay=1000.0)
        model = opened(Once(), 1, retry=retry)  # type: ignore[arg-type]
        await ask_all(model, ["first", "second", "third"])

    virtually(scenario)
    assert [text for _, text in endpoint.arrivals] == ["second", "third", "first"]


def test_an_endpoint_that_refuses_everything_ends_the_run_within_minutes() -> None:
    endpoint = Endpoint(most_at_once=0)

    async def scenario() -> float:
        started = now()
        with pytest.raises(PermanentModelError, match="HTTP 429"):
            await ask_all(opened(endpoint, 64), [str(i) for i in range(500)])
        return now() - started

    assert virtually(scenario) < 300
    assert len(endpoint.arrivals) < 200


def test_two_roles_share_the_places_of_their_endpoint() -> None:
    endpoint = Endpoint(jitter=1.0)

    async def scenario() -> None:
        limiter = EndpointLimiter(8, adapts=True, clock=asyncio.get_running_loop().time)
        task, optimizer = opened(endpoint, 8, limiter=limiter), opened(endpoint, 2, limiter=limiter)
        most = 0

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, optimizer.limited.in_flight)
                await asyncio.sleep(0.1)

        watching = asyncio.create_task(watch())
        await asyncio.gather(
            ask_all(task, ["t"] * 20), ask_all(optimizer, ["o"] * 10), ask_all(task, ["later"] * 20)
        )
        watching.cancel()
        assert most == 2
        limiter.limits.refused(limiter.limits.wave)
        assert (task.limited.state.now, optimizer.limited.state.now) == (4, 2)
        limiter.limits.refused(limiter.limits.wave)
        limiter.limits.refused(limiter.limits.wave)
        assert (task.limited.state.now, optimizer.limited.state.now) == (1, 1)

    virtually(scenario)
    assert endpoint.most_in_flight == 8
    # First come, first served over both; those whose role has no place of its own are passed by.
    kinds = [text for _, text in endpoint.arrivals]
    assert kinds[:22] == ["t"] * 20 + ["o"] * 2
    assert kinds[22:].index("later") < 8


def test_what_is_given_up_leaves_no_gap() -> None:
    endpoint = Endpoint(latency=1.0, most_at_once=3, retry_after=10.0)

    async def scenario() -> None:
        model = opened(endpoint, 6)
        calls = [asyncio.create_task(model.model.complete(ask(str(i)))) for i in range(40)]
        await asyncio.sleep(5)  # closed: some wait in line, some to be made again
        assert model.limited.state.held == "refused"
        endpoint.most_at_once = None
        for call in calls[:30]:
            call.cancel()
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(not isinstance(item, BaseException) for item in done) >= 10
        assert (model.limited.in_flight, model.limited.waiting) == (0, 0)
        state = model.limited.state
        assert (state.held, state.configured, state.lowest, state.backoffs) == ("", 6, 3, 1)
        assert state.waited_seconds == pytest.approx(10)

    virtually(scenario)


def test_a_fixed_limit_stays() -> None:
    endpoint = Endpoint(most_at_once=2)

    async def scenario() -> list[int]:
        limited = LimitedModel(endpoint, queue(8))
        await asyncio.gather(*(limited.complete(ask(str(i))) for i in range(20)), return_exceptions=True)
        return [limited.state.now, limited.state.backoffs]

    assert virtually(scenario) == [8, 0]


def test_a_loop_after_the_other() -> None:
    endpoint = Endpoint()
    limited = LimitedModel(endpoint, queue(2))

    async def scenario() -> None:
        await asyncio.gather(*(limited.complete(ask(str(i))) for i in range(5)))

    virtually(scenario)
    virtually(scenario)
    times = [at for at, _ in endpoint.arrivals]
    assert all(b >= a for a, b in pairwise(times[:5]))
    assert len(times) == 10
