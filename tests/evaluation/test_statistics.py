"""Each formula against values worked out by hand, and the laws of intervals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gpo.evaluation.statistics import mcnemar, p_value, paired_bootstrap, sign_flip, wilson

BITS = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=60)


def test_wilson_by_hand() -> None:
    # 8 of 10: centre (0.8 + 3.8415/20)/(1 + 3.8415/10) = 0.7166, half 1.96/1.38415 · √(0.016 + 0.0096) = 0.2268.
    found = wilson([1.0] * 8 + [0.0] * 2)
    assert found.mean == 0.8
    assert found.low == pytest.approx(0.4902, abs=5e-4)
    assert found.high == pytest.approx(0.9433, abs=5e-4)


def test_wilson_of_all_right_stays_below_certainty() -> None:
    found = wilson([1.0] * 10)
    # n / (n + z²) = 10 / 13.8415
    assert found.low == pytest.approx(0.7225, abs=5e-4)
    assert found.high == 1.0


def test_mcnemar_by_hand() -> None:
    # 6 gained, 1 lost: 2 · (C(7,0) + C(7,1)) / 2⁷ = 2 · 8 / 128.
    before = [0.0] * 6 + [1.0] + [1.0] * 5
    after = [1.0] * 6 + [0.0] + [1.0] * 5
    assert mcnemar(before, after) == 0.125
    assert mcnemar([1.0, 0.0], [1.0, 0.0]) == 1.0


@given(BITS)
def test_mcnemar_equals_the_exact_binomial_test(pairs: list[tuple[float, float]]) -> None:
    before, after = [b for b, _ in pairs], [a for _, a in pairs]
    gained = sum(a > b for b, a in pairs)
    discordant = sum(a != b for b, a in pairs)
    expected = stats.binomtest(gained, discordant).pvalue if discordant else 1.0
    assert mcnemar(before, after) == pytest.approx(expected)


def test_sign_flip_by_hand() -> None:
    # Three differences of +1: 2 of the 8 sign patterns are as extreme as the observed one.
    assert sign_flip([0.0] * 3, [1.0] * 3, seed=0) == pytest.approx(0.25, abs=0.02)
    assert sign_flip([0.5], [0.5], seed=0) == 1.0


def test_graded_values_use_the_randomization_test() -> None:
    assert p_value([0.0] * 7, [1.0] * 7, seed=0) == mcnemar([0.0] * 7, [1.0] * 7)
    graded = p_value([0.1] * 7, [0.6] * 7, seed=0)
    assert graded == sign_flip([0.1] * 7, [0.6] * 7, seed=0)


@given(BITS)
def test_the_bootstrap_interval_holds_the_mean_and_flips_with_the_order(
    pairs: list[tuple[float, float]],
) -> None:
    before, after = [b for b, _ in pairs], [a for _, a in pairs]
    there = paired_bootstrap(before, after, seed=1, resamples=400)
    back = paired_bootstrap(after, before, seed=1, resamples=400)
    assert there.low <= there.mean + 1e-9
    assert there.mean <= there.high + 1e-9
    assert back.low == pytest.approx(-there.high)
    assert back.high == pytest.approx(-there.low)


def test_the_bootstrap_interval_is_about_two_standard_errors() -> None:
    # Differences: 40 gains, 10 losses, 50 ties. Mean 0.3, variance 0.5 − 0.09 = 0.41, standard error 0.064.
    before = [0.0] * 40 + [1.0] * 10 + [1.0] * 50
    after = [1.0] * 40 + [0.0] * 10 + [1.0] * 50
    found = paired_bootstrap(before, after, seed=3)
    assert found.mean == pytest.approx(0.3)
    assert found.low == pytest.approx(0.3 - 1.96 * 0.064, abs=0.015)
    assert found.high == pytest.approx(0.3 + 1.96 * 0.064, abs=0.015)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="same length"):
        mcnemar([1.0], [1.0, 0.0])
