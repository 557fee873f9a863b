"""A limit sends calls that begin alike one after another, and leaves no place empty for it."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from gpo.errors import TransientModelError
from gpo.evaluation.score import Scorer
from gpo.model.layers.limits import LimitedModel
from gpo.model.layers.retry import RetryingModel, RetrySettings
from gpo.model.model import Message, Reply, Request
from gpo.task.task import Task

from .endpoint import queue


class Slots:
    """Takes a turn of the loop for each call; keeps the order in which calls came and how many there were at once."""

    identity = "slots"

    def __init__(self, fails: frozenset[int] = frozenset()) -> None:
        self.came: list[Request] = []
        self.now = self.most = 0
        self.fails = fails

    async def complete(self, request: Request) -> Reply:
        self.came.append(request)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0)
        finally:
            self.now -= 1
        if len(self.came) - 1 in self.fails:
            raise TransientModelError("lost")
        return Reply(texts=(request.messages[-1].content,))

    async def aclose(self) -> None:
        pass


def call(text: str, prefix_group: str) -> Request:
    return Request(messages=(Message("user", text),), prefix_group=prefix_group)


async def test_with_one_place_each_lane_is_finished_before_the_next() -> None:
    slots = Slots()
    limited = LimitedModel(slots, queue(1))
    calls = [call(f"{prefix_group}{n}", prefix_group) for n in range(3) for prefix_group in ("a", "b", "c")]
    await asyncio.gather(*(limited.complete(item) for item in calls))
    prefix_groups = [item.prefix_group for item in slots.came]
    assert prefix_groups == ["a"] * 3 + ["b"] * 3 + ["c"] * 3


async def test_calls_without_a_lane_go_in_their_order() -> None:
    slots = Slots()
    limited = LimitedModel(slots, queue(2))
    await asyncio.gather(*(limited.complete(call(str(n), "")) for n in range(20)))
    assert [item.messages[-1].content for item in slots.came] == [str(n) for n in range(20)]


async def test_short_lanes_are_not_begun_twice_where_that_costs_more_and_long_ones_are() -> None:
    async def most(prefix_groups: dict[str, int]) -> dict[str, int]:
        """The most calls of each group that were under way at once, with 6 places."""
        now, found = dict.fromkeys(prefix_groups, 0), dict.fromkeys(prefix_groups, 0)

        class Watched(Slots):
            async def complete(self, request: Request) -> Reply:
                now[request.prefix_group] += 1
                found[request.prefix_group] = max(found[request.prefix_group], now[request.prefix_group])
                try:
                    return await super().complete(request)
                finally:
                    now[request.prefix_group] -= 1

        limited = LimitedModel(Watched(), queue(6, double_below=0))
        calls = [
            call(f"{prefix_group}{n}", prefix_group)
            for prefix_group, count in prefix_groups.items()
            for n in range(count)
        ]
        await asyncio.gather(*(limited.complete(item) for item in calls))
        return found

    assert await most({"a": 8, "b": 8, "c": 8}) == {"a": 1, "b": 1, "c": 1}
    long = await most({"a": 60, "b": 60})
    assert long["a"] > 1
    assert long["b"] > 1


async def test_the_scorer_asks_all_prompts_of_a_question_in_a_row_where_the_prompt_stands_behind_it() -> None:
    rows = [{"input": f"Row {n}", "target": "yes"} for n in range(6)]
    other = [{"input": f"other {n}", "target": "no"} for n in range(2)]
    splits = {"train": other, "dev": rows, "test": other}
    for position, shared in (("question_end", 4), ("system", 6)):
        slots = Slots()
        task = Task.from_rows(splits, answer="text", position=position, allow_overlap=True)  # type: ignore[arg-type]
        await Scorer(task, LimitedModel(slots, queue(1))).score([f"prompt {n}" for n in range(4)])
        changes = sum(
            a.prefix_group != b.prefix_group for a, b in zip(slots.came, slots.came[1:], strict=False)
        )
        assert changes == 24 // shared - 1


@given(
    st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=40),
    st.integers(1, 5),
    st.frozensets(st.integers(0, 30), max_size=6),
    st.frozensets(st.integers(0, 39), max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_every_call_is_answered_whatever_fails_or_is_cancelled(
    prefix_groups: list[str], places: int, fails: frozenset[int], cancelled: frozenset[int]
) -> None:
    async def run() -> None:
        slots = Slots(fails)
        limited = LimitedModel(slots, queue(places))
        model = RetryingModel(limited, RetrySettings(attempts=20, first_delay=0.0), again=limited.again)
        tasks = [
            asyncio.ensure_future(model.complete(call(str(n), prefix_group)))
            for n, prefix_group in enumerate(prefix_groups)
        ]
        await asyncio.sleep(0)
        for number in cancelled:
            if number < len(tasks):
                tasks[number].cancel()
        found = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        for number, reply in enumerate(found):
            if number not in cancelled:
                assert isinstance(reply, Reply)
                assert reply.text == str(number)
        assert limited.in_flight == 0
        assert limited.waiting == 0
        assert slots.most <= places

    asyncio.run(run())
