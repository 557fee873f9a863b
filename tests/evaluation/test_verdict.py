"""What is called better, and how small a gain so many rows can show."""

from __future__ import annotations

import pytest

from gpo.evaluation.statistics import (
    Verdict,
    compare,
    compare_counts,
    decide,
    detectable_gain,
    few_rows_warning,
)


@pytest.mark.parametrize(
    ("low", "high", "p_value", "said"),
    [
        (0.01, 0.3, 0.049, "better"),
        (-0.3, -0.01, 0.049, "worse"),
        (0.01, 0.3, 0.05, "not shown"),  # the interval alone is not enough
        (0.0, 0.3, 0.01, "not shown"),  # nor is the test
        (-0.3, 0.0, 0.01, "not shown"),
        (0.01, 0.3, None, "not shown"),
    ],
)
def test_better_and_worse_need_the_interval_and_the_test(
    low: float, high: float, p_value: float | None, said: str
) -> None:
    assert decide((low + high) / 2, low, high, p_value) == said


def test_without_numbers_there_was_no_test() -> None:
    assert decide(None, None, None, None) is Verdict.NO_TEST
    assert decide(0.1, 0.05, 0.2, 0.01, unchanged=True) is Verdict.UNCHANGED


def test_few_rows_and_few_discordant_rows_show_nothing() -> None:
    assert compare_counts(3, 0, 3).verdict is Verdict.NOT_SHOWN
    assert compare_counts(4, 0, 200).verdict is Verdict.NOT_SHOWN
    # 2 · ½⁵ = 0.0625 is not below 0.05, 2 · ½⁶ = 0.03125 is; the interval of 6 of 200 is 6/202 ± 1.96 · √((8/202 −
    # 0.000882)/202) = 0.0297 ± 0.0271.
    assert compare_counts(5, 0, 200).verdict is Verdict.NOT_SHOWN
    assert compare_counts(6, 0, 200).verdict is Verdict.BETTER
    assert compare_counts(0, 6, 200).verdict is Verdict.WORSE


def test_every_verdict_follows_from_interval_and_test() -> None:
    for rows in (6, 20, 50):
        for gained in range(rows + 1):
            for lost in range(rows - gained + 1):
                found = compare_counts(gained, lost, rows)
                better = found.low > 0 and found.p_value < 0.05
                assert (found.verdict is Verdict.BETTER) == better
                assert not better or gained > lost


def test_the_smallest_gain_that_can_be_shown_by_hand() -> None:
    # Six rows gained and none lost, whatever was observed: 6/20.
    assert detectable_gain(compare_counts(1, 3, 20)) == pytest.approx(0.3)
    assert detectable_gain(compare_counts(5, 0, 5)) is None
    graded = compare(
        [0.1, 0.4, 0.2, 0.0, 0.9, 0.3, 0.5, 0.2], [0.2, 0.3, 0.4, 0.1, 0.9, 0.6, 0.5, 0.3], seed=0
    )
    assert detectable_gain(graded) == pytest.approx(graded.mean - graded.low)


def test_a_small_test_split_is_warned_of_in_one_line() -> None:
    assert few_rows_warning(None, None) == few_rows_warning(30, 0.2) == ""
    assert "only 29 test rows" in few_rows_warning(29, 6 / 29)
    assert "below 20.7 points" in few_rows_warning(29, 6 / 29)
    assert "no gain, however large" in few_rows_warning(5, None)
    assert "only 1 test row could" in few_rows_warning(1, None)
