"""Whose turn it is: groups follow one another, no place stays empty, nobody is forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.model.layers.prefix_queue import LONG, PrefixQueue


def test_a_lane_goes_on_where_its_last_call_ended_before_another_lane_begins() -> None:
    turns: PrefixQueue[str] = PrefixQueue()
    for prefix_group in ("a", "b"):
        for number in range(3):
            turns.push(f"{prefix_group}{number}", prefix_group)
    taken = [turns.pop(), turns.pop()]
    assert taken == ["a0", "b0"], "two free places begin two groups, not one group twice"
    turns.leave("b")
    assert turns.pop("b") == "b1"
    turns.leave("a")
    assert turns.pop("a") == "a1"


def test_no_place_stays_empty_for_want_of_lanes() -> None:
    turns: PrefixQueue[str] = PrefixQueue()
    for number in range(3):
        turns.push(f"a{number}", "a")
    assert [turns.pop() for _ in range(3)] == ["a0", "a1", "a2"]


def test_lanes_that_are_worked_on_share_the_places_that_are_left() -> None:
    turns: PrefixQueue[str] = PrefixQueue()
    for prefix_group in ("a", "b"):
        for number in range(4):
            turns.push(f"{prefix_group}{number}", prefix_group)
    assert [turns.pop() for _ in range(4)] == ["a0", "b0", "a1", "b1"]


def test_what_continues_goes_before_the_others_of_its_lane() -> None:
    turns: PrefixQueue[str] = PrefixQueue()
    turns.push("first round of another", "a")
    turns.push("second round", "a", first=True)
    assert turns.pop() == "second round"


def test_an_idle_lane_begins_before_a_busy_one_is_doubled() -> None:
    turns: PrefixQueue[str] = PrefixQueue()
    turns.enter("a")
    turns.push("a1", "a")
    turns.push("b0", "b")
    assert turns.pop() == "b0"
    assert turns.pop() == "a1"


def test_an_empty_queue_says_so_and_forgets_its_lanes() -> None:
    turns: PrefixQueue[str] = PrefixQueue()
    turns.push("x", "a")
    turns.pop()
    turns.leave("a")
    assert len(turns) == 0
    with pytest.raises(IndexError):
        turns.pop("a")


@given(st.lists(st.integers(0, 4), max_size=60), st.integers(1, 8))
def test_every_call_has_its_turn_once_and_all_places_are_used(prefix_groups: list[int], places: int) -> None:
    turns: PrefixQueue[int] = PrefixQueue()
    for number, prefix_group in enumerate(prefix_groups):
        turns.push(number, prefix_group)
    running: list[int] = []
    served: list[int] = []
    while len(turns) or running:
        while len(turns) and len(running) < places:
            running.append(turns.pop(prefix_groups[served[-1]] if served else None))
        assert len(running) == min(places, len(running) + len(turns))
        over = running.pop(0)
        served.append(over)
        turns.leave(prefix_groups[over])
    assert sorted(served) == list(range(len(prefix_groups)))
    for prefix_group in set(prefix_groups):
        mine = [number for number in served if prefix_groups[number] == prefix_group]
        assert mine == sorted(mine), "a group keeps its order"


def test_how_long_a_lane_must_be_grows_with_the_places_that_work_on_it() -> None:
    turns: PrefixQueue[int] = PrefixQueue()
    for _ in range(2):
        turns.enter("a")
    for number in range(2 * LONG):
        turns.push(number, "a")
    assert turns.peek(double=False) is None
    with pytest.raises(IndexError):
        turns.pop(double=False)
    assert turns.peek() == 0
    assert turns.peek("a", double=False) == 0, "where a call of the group has just ended it goes on"
    turns.push(2 * LONG, "a")
    assert turns.pop(double=False) == 0
    assert turns.peek(double=False) is None
    turns.leave("a")
    assert turns.peek(double=False) is None, "2 * LONG wait for two places"
    turns.leave("a")
    assert turns.pop(double=False) == 1


def test_a_short_lane_does_not_stand_before_a_long_one() -> None:
    turns: PrefixQueue[str] = PrefixQueue()
    for prefix_group, count in (("short", LONG), ("long", LONG + 1)):
        turns.enter(prefix_group)
        for number in range(count):
            turns.push(f"{prefix_group} {number}", prefix_group)
    assert turns.peek(double=False) == "long 0"
    assert turns.pop(double=False) == "long 0"
    assert turns.peek(double=False) is None
    turns.push("other", "other")
    assert turns.pop(double=False) == "other"


EVENTS = st.lists(st.tuples(st.sampled_from(["push", "first", "enter", "pop", "leave"]), st.integers(0, 3)))


@given(EVENTS, st.booleans())
def test_what_pop_gives_is_what_peek_showed_and_what_the_rule_says(
    events: list[tuple[str, int]], double: bool
) -> None:
    turns: PrefixQueue[int] = PrefixQueue()
    waiting: dict[int, list[int]] = {prefix_group: [] for prefix_group in range(4)}
    busy = dict.fromkeys(range(4), 0)
    for number, (kind, prefix_group) in enumerate(events * 5):
        if kind in ("push", "first"):
            turns.push(number, prefix_group, first=kind == "first")
            waiting[prefix_group].insert(0 if kind == "first" else len(waiting[prefix_group]), number)
        elif kind == "enter":
            turns.enter(prefix_group)
            busy[prefix_group] += 1
        elif kind == "leave" and busy[prefix_group]:
            turns.leave(prefix_group)
            busy[prefix_group] -= 1
        elif kind == "pop":
            shown = turns.peek(prefix_group, double=double)
            begins = [one for one in waiting if waiting[one] and not busy[one]]
            goes_on = [
                one for one in waiting if waiting[one] and (double or len(waiting[one]) > LONG * busy[one])
            ]
            may = [prefix_group] if waiting[prefix_group] else begins or goes_on
            assert (shown is None) == (not may)
            if shown is not None:
                assert turns.pop(prefix_group, double=double) == shown
                taken = next(one for one in may if waiting[one][0] == shown)
                waiting[taken].pop(0)
                busy[taken] += 1
        assert len(turns) == sum(map(len, waiting.values()))
