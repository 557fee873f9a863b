"""The schedules against values worked out by hand, and the measured word distance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.config.schema import MethodConfig
from gpo.optimizer.methods import Preset, build_method
from gpo.optimizer.parts.edit_distance import (
    PAPER,
    RELEASED,
    Counting,
    EditDistance,
    count_changed_words,
    edit_distance,
)

# 18 steps, as the paper's runs on BIG-Bench Hard have (48 train rows in batches of 8, 3 epochs), 50 → 10 words.
#
# Paper preset, t from 0. Cosine: 10 + 20 · (1 + cos 10°·t), at t = 1: 10 + 20 · 1.98481 = 49.70; at 9: 30; at 17:
# 10 + 20 · 0.01519 = 10.30. Linear: 50 − 40t/18, at t = 1: 47.78; at 17: 12.22.
# Warm-up: ⌈5 % of 18⌉ = 1 step at 1/2 of 50, then the schedule over 17 steps. Cosine: 10 + 20 · (1 + cos 10.588°·n) at
# n = t − 1, at n = 1: 49.66; at 3: 47.004; at 14: 12.996; at 16: 10.34. Linear: 50 − 40n/17, at n = 16: 12.35.
PAPER_18 = {
    "none": [None] * 18,
    "fixed": [50] * 18,
    "linear": [50, 47, 45, 43, 41, 38, 36, 34, 32, 30, 27, 25, 23, 21, 18, 16, 14, 12],
    "cosine": [50, 49, 48, 47, 45, 42, 40, 36, 33, 30, 26, 23, 20, 17, 14, 12, 11, 10],
    "none+warmup": [25] + [None] * 17,
    "fixed+warmup": [25] + [50] * 17,
    "linear+warmup": [25, 50, 47, 45, 42, 40, 38, 35, 33, 31, 28, 26, 24, 21, 19, 17, 14, 12],
    "cosine+warmup": [25, 50, 49, 48, 47, 44, 42, 38, 35, 31, 28, 24, 21, 17, 15, 12, 11, 10],
}

# Released preset, the same curves at t + 1: each is one step further and ends at 10 exactly. The release's list of past
# prompts, whose length is its step number, holds the initial prompt at the first step.
# Warm-up takes 5 steps, 50 · (t + 1)/5; then n = t − 4 of 13. Cosine: 10 + 20 · (1 + cos 13.846°·n), at n = 1: 49.42;
# at 3: 44.97; at 12: 10.58. Linear: 50 − 40n/13, at n = 1: 46.92; at 12: 13.08.
RELEASED_18 = {
    "none": [None] * 18,
    "fixed": [50] * 18,
    "linear": [47, 45, 43, 41, 38, 36, 34, 32, 30, 27, 25, 23, 21, 18, 16, 14, 12, 10],
    "cosine": [49, 48, 47, 45, 42, 40, 36, 33, 30, 26, 23, 20, 17, 14, 12, 11, 10, 10],
    "none+warmup": [10, 20, 30, 40, 50] + [None] * 13,
    "fixed+warmup": [10, 20, 30, 40, 50] + [50] * 13,
    "linear+warmup": [10, 20, 30, 40, 50, 46, 43, 40, 37, 34, 31, 28, 25, 22, 19, 16, 13, 10],
    "cosine+warmup": [10, 20, 30, 40, 50, 49, 47, 44, 41, 37, 32, 27, 22, 18, 15, 12, 10, 10],
}


def limits(schedule: EditDistance, total: int) -> list[int | None]:
    return [schedule.limit(step, total) for step in range(total)]


@pytest.mark.parametrize("name", PAPER_18)
def test_the_limits_of_the_paper_preset(name: str) -> None:
    assert limits(edit_distance(name), 18) == PAPER_18[name]


@pytest.mark.parametrize("name", RELEASED_18)
def test_the_limits_of_the_released_preset(name: str) -> None:
    assert limits(edit_distance(name, counting=RELEASED), 18) == RELEASED_18[name]


@pytest.mark.parametrize(("preset", "table"), [("paper", PAPER_18), ("released", RELEASED_18)])
def test_a_preset_has_its_table(preset: Preset, table: dict[str, list[int | None]]) -> None:
    for name, expected in table.items():
        row = MethodConfig.model_validate({"edit_distance": name})
        assert limits(build_method(row, preset=preset).edit_distance, 18) == expected


def test_warmup_of_a_long_run_rises_linearly() -> None:
    # ⌈5 % of 60⌉ = 3 steps at 1/4, 2/4 and 3/4 of 50: 12.5, 25, 37.5. ⌈5 % of 81⌉ = 5 steps: sixths of 50.
    schedule = edit_distance("cosine+warmup")
    assert limits(schedule, 60)[:4] == [12, 25, 37, 50]
    assert limits(schedule, 81)[:6] == [8, 16, 25, 33, 41, 50]


@given(
    name=st.sampled_from(sorted(PAPER_18)),
    counting=st.sampled_from([PAPER, RELEASED]),
    total=st.integers(1, 120),
    final=st.integers(1, 40),
    more=st.integers(0, 60),
)
def test_every_step_may_change_something(
    name: str, counting: Counting, total: int, final: int, more: int
) -> None:
    schedule = edit_distance(name, initial=final + more, final=final, counting=counting)
    assert all(limit is None or 1 <= limit <= final + more for limit in limits(schedule, total))


@given(
    name=st.sampled_from(["linear", "cosine"]),
    total=st.integers(1, 400),
    final=st.integers(1, 40),
    more=st.integers(0, 60),
)
def test_decay_never_rises_and_stays_within_its_bounds(name: str, total: int, final: int, more: int) -> None:
    schedule = edit_distance(name, initial=final + more, final=final)
    found = [schedule.limit(step, total) or 0 for step in range(total)]
    assert found[0] == final + more
    assert found == sorted(found, reverse=True)
    assert found[-1] >= final
    released = edit_distance(name, initial=final + more, final=final, counting=RELEASED)
    assert [released.limit(step, total) for step in range(total)] == [*found[1:], final]


def test_words_changed_counts_words_inserted_deleted_and_replaced() -> None:
    assert count_changed_words("think step by step", "think step by step") == 0
    assert count_changed_words("think step by step", "think carefully step by step") == 1
    assert count_changed_words("think step by step", "reason it out") == 4
    assert count_changed_words("", "three new words") == 3
    assert count_changed_words("two  words", "two words") == 0
