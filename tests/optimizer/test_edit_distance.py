"""The schedules against values worked out by hand, and the measured word distance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.optimizer.edit_distance import edit_distance, words_changed

# T = 20, 50 → 10 words. Cosine at T/2: 10 + 40 · ½ = 30. Linear at t = 1: 50 − 40/20 = 48; at 19: 50 − 38 = 12.
# Cosine at t = 1: 10 + 40 · ½(1 + cos 9°) = 10 + 20 · 1.98769 = 49.75; at 19: 10 + 20 · (1 − 0.98769) = 10.25.
# Warm-up: ⌈5 % of 20⌉ = 1 step at 0 words, then the schedule over 19 steps: at t = 10 it is at 9/19,
# linear 50 − 40 · 9/19 = 31.05, cosine 10 + 20 · (1 + cos 85.26°) = 10 + 20 · 1.08258 = 31.65; at t = 19, 18/19,
# linear 50 − 40 · 18/19 = 12.1, cosine 10 + 20 · (1 − cos 9.47°) = 10 + 20 · 0.01364 = 10.27.
TABLE = {
    "none": (None, None, None, None),
    "fixed": (50, 50, 50, 50),
    "linear": (50, 48, 30, 12),
    "cosine": (50, 49, 30, 10),
    "none+warmup": (0, None, None, None),
    "fixed+warmup": (0, 50, 50, 50),
    "linear+warmup": (0, 50, 31, 12),
    "cosine+warmup": (0, 50, 31, 10),
}


@pytest.mark.parametrize("name", TABLE)
def test_limits_at_the_start_the_middle_and_the_end(name: str) -> None:
    schedule = edit_distance(name)
    assert tuple(schedule.limit(step, 20) for step in (0, 1, 10, 19)) == TABLE[name]


def test_the_released_warmup_has_five_steps_whatever_the_total() -> None:
    schedule = edit_distance("fixed+warmup", warmup_steps=5)
    assert [schedule.limit(step, 18) for step in range(7)] == [0, 10, 20, 30, 40, 50, 50]


def test_warmup_of_a_long_run_rises_linearly() -> None:
    # ⌈5 % of 81⌉ = 5 steps.
    schedule = edit_distance("cosine+warmup")
    assert [schedule.limit(step, 81) for step in range(6)] == [0, 10, 20, 30, 40, 50]


@given(
    name=st.sampled_from(["linear", "cosine"]),
    total=st.integers(1, 400),
    final=st.integers(1, 40),
    more=st.integers(0, 60),
)
def test_decay_never_rises_and_stays_within_its_bounds(name: str, total: int, final: int, more: int) -> None:
    schedule = edit_distance(name, initial=final + more, final=final)
    limits = [schedule.limit(step, total) or 0 for step in range(total)]
    assert limits[0] == final + more
    assert limits == sorted(limits, reverse=True)
    assert limits[-1] >= final


def test_words_changed_counts_words_inserted_deleted_and_replaced() -> None:
    assert words_changed("think step by step", "think step by step") == 0
    assert words_changed("think step by step", "think carefully step by step") == 1
    assert words_changed("think step by step", "reason it out") == 4
    assert words_changed("", "three new words") == 3
    assert words_changed("two  words", "two words") == 0
