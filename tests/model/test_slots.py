"""Slots keep the beginning of a group, and none is given twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gpo.model.local.slots import Slots


def test_a_lane_goes_back_to_its_slot() -> None:
    slots = Slots(3)
    a, b = slots.take("a"), slots.take("b")
    assert a is not None
    assert b is not None
    slots.give(b)
    slots.give(a)
    assert slots.take("a") == a
    assert slots.take("b") == b


def test_a_new_lane_takes_the_slot_that_was_left_longest_ago() -> None:
    slots = Slots(2)
    a, b = slots.take("a"), slots.take("b")
    assert a is not None
    assert b is not None
    slots.give(b)
    slots.give(a)
    assert slots.take("c") == b
    slots.give(b)
    # The slot of `b` holds `c` now: `b` begins wherever there is room.
    assert slots.take("b") == a


def test_a_call_without_a_lane_spoils_the_slot_that_it_takes() -> None:
    slots = Slots(1)
    a = slots.take("a")
    assert a == 0
    slots.give(0)
    assert slots.take("") == 0
    assert slots.take("a") is None, "all are taken"


@given(
    st.integers(1, 4), st.lists(st.tuples(st.booleans(), st.sampled_from(["a", "b", "c", ""])), max_size=60)
)
def test_no_slot_is_given_twice_and_none_is_lost(count: int, events: list[tuple[bool, str]]) -> None:
    slots, held = Slots(count), list[int]()
    for takes, prefix_group in events:
        if takes:
            slot = slots.take(prefix_group)
            assert (slot is None) == (len(held) == count)
            if slot is not None:
                assert slot not in held
                assert 0 <= slot < count
                held.append(slot)
        elif held:
            slots.give(held.pop(0))
    for slot in held:
        slots.give(slot)
    assert {slots.take("") for _ in range(count)} == set(range(count))
