"""Each formula against values worked out by hand, and the laws of intervals and tests."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gpo.evaluation.statistics import (
    bonett_price,
    compare,
    compare_counts,
    compare_groups,
    mcnemar,
    mcnemar_counts,
    p_value,
    paired_bootstrap,
    sign_flip,
    tango,
    wilson,
)

BITS = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=60)
GRADES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40)


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


def test_bonett_price_by_hand() -> None:
    # p₁ = 7/14 = 0.5, p₂ = 2/14 = 0.142857: difference 0.357143, variance (0.642857 − 0.127551)/14 = 0.0368076, whose
    # root 0.191853 times 1.959964 is 0.376025.
    found = bonett_price(6, 1, 12)
    assert found.mean == pytest.approx(5 / 12)
    assert found.low == pytest.approx(0.357143 - 0.376025, abs=2e-6)
    assert found.high == pytest.approx(0.357143 + 0.376025, abs=2e-6)
    # No row differs in ten: p₁ = p₂ = 1/12, variance (1/6)/12 = 1/72, half 1.959964 / √72 = 0.230984.
    still = bonett_price(0, 0, 10)
    assert (still.mean, still.low, still.high) == pytest.approx((0, -0.230984, 0.230984), abs=2e-6)
    # The airway data of Bentur et al. 2009 (1 against 7 of 21): 2/23 − 8/23 = −0.260870, variance
    # (0.434783 − 0.068053)/23 = 0.0159448, half 1.959964 · 0.126273 = 0.247491.
    airway = bonett_price(1, 7, 21)
    assert (airway.low, airway.high) == pytest.approx((-0.508361, -0.013379), abs=2e-6)


def test_bonett_price_stays_within_what_can_be() -> None:
    # Three of three: 4/5 − 1/5 = 0.6, variance (1 − 0.36)/5 = 0.128, half 1.959964 · 0.357771 = 0.701218; 1 is the end.
    found = bonett_price(3, 0, 3)
    assert (found.mean, found.low, found.high) == pytest.approx((1, -0.101218, 1), abs=2e-6)
    for counts in ((0, 0, 0), (2, 2, 3), (-1, 0, 3)):
        with pytest.raises(ValueError, match="no more than all rows"):
            bonett_price(*counts)


def test_tango_by_hand() -> None:
    # Where no row differs the score is n |Δ| / √(n |Δ| (1 − |Δ|)), which is z at |Δ| = z²/(n + z²): 3.841459/13.841459.
    still = tango(0, 0, 10)
    assert (still.mean, still.low, still.high) == pytest.approx((0, -0.277533, 0.277533), abs=2e-6)
    # One row that rose: p = (1 − Δ)/2, the score √((1 − Δ)/(1 + Δ)), so Δ = (1 − z²)/(1 + z²) = −2.841459/4.841459.
    assert tango(1, 0, 1).low == pytest.approx(-0.586902, abs=2e-6)
    # One up and one down of two: p = (1 − Δ)/2, the score −2Δ/√(2 (1 − Δ²)), so Δ² = z²/(2 + z²) = 0.657619.
    assert tango(1, 1, 2).high == pytest.approx(0.810937, abs=2e-6)
    # The airway data again, for which the literature has −0.517 to −0.026.
    airway = tango(1, 7, 21)
    assert (airway.low, airway.high) == pytest.approx((-0.517, -0.026), abs=5e-4)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_tango_is_where_the_score_test_turns(gained: int, lost: int, same: int) -> None:
    if gained + lost == 0:
        return
    found, back = tango(gained, lost, gained + lost + same), tango(lost, gained, gained + lost + same)
    assert -1 <= found.low <= found.mean <= found.high <= 1
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low), abs=1e-9)
    # At Δ = 0 the score is McNemar's (gained − lost)/√(gained + lost).
    score = (gained - lost) / math.sqrt(gained + lost)
    assert (found.low > 1e-9) == (score > 1.9599640)
    assert (found.high < -1e-9) == (score < -1.9599640)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_bonett_price_holds_the_difference_and_flips(gained: int, lost: int, same: int) -> None:
    rows = gained + lost + same
    if rows:
        there, back = bonett_price(gained, lost, rows), bonett_price(lost, gained, rows)
        assert -1 <= there.low <= there.mean <= there.high <= 1
        assert (back.mean, back.low, back.high) == pytest.approx((-there.mean, -there.high, -there.low))


def test_mcnemar_by_hand() -> None:
    # 6 gained, 1 lost: 2 · (C(7,0) + C(7,1)) / 2⁷ = 2 · 8 / 128.
    before = [0.0] * 6 + [1.0] + [1.0] * 5
    after = [1.0] * 6 + [0.0] + [1.0] * 5
    assert mcnemar(before, after) == 0.125
    assert mcnemar([1.0, 0.0], [1.0, 0.0]) == 1.0
    # 2 · (1 + 8) / 2⁸, and 3 against 4: twice just under a half.
    assert mcnemar_counts(1, 7) == pytest.approx(0.0703125)
    assert mcnemar_counts(3, 4) == 1.0


@given(BITS)
def test_mcnemar_equals_the_exact_binomial_test(pairs: list[tuple[float, float]]) -> None:
    before, after = [b for b, _ in pairs], [a for _, a in pairs]
    gained = sum(a > b for b, a in pairs)
    discordant = sum(a != b for b, a in pairs)
    expected = stats.binomtest(gained, discordant).pvalue if discordant else 1.0
    assert mcnemar(before, after) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("gained", "lost"), [(420, 400), (1020, 980), (499_000, 501_000), (600_000, 400_000), (2_000, 0)]
)
def test_mcnemar_takes_a_million_rows(gained: int, lost: int) -> None:
    expected = stats.binomtest(gained, gained + lost).pvalue
    assert mcnemar_counts(gained, lost) == pytest.approx(expected, rel=1e-6)


def test_sign_flip_by_hand() -> None:
    # Three differences of +1: 2 of the 8 sign patterns are as extreme as the observed one.
    assert sign_flip([0.0] * 3, [1.0] * 3, seed=0) == 0.25
    assert sign_flip([0.5], [0.5], seed=0) == 1.0
    # +0.4, +0.3, −0.1 add up to 0.6: of ±0.4 ±0.3 ±0.1 two are ±0.8, two ±0.6, the other four nearer to 0.
    assert sign_flip([0.1, 0.1, 0.6], [0.5, 0.4, 0.5], seed=0) == 0.5


def test_drawn_flips_come_to_what_counting_says() -> None:
    # 15 rows of +0.5 and 5 of −0.5 are as extreme as 15 gains to 5 losses: p = 0.0414, ± 0.002 for 9,999 draws.
    before, after = [0.0] * 15 + [0.5] * 5, [0.5] * 15 + [0.0] * 5
    assert sign_flip(before, after, seed=1) == pytest.approx(mcnemar_counts(15, 5), abs=0.006)
    assert sign_flip(before, after, seed=1) == sign_flip(after, before, seed=1)


def test_many_rows_flip_in_blocks_and_say_the_same() -> None:
    # 100,000 differences whose sum is 2.2 of its standard errors: the normal p-value is 0.0278.
    noise = np.random.default_rng(5).normal(size=100_000)
    noise -= noise.mean()
    shift = 2.2 * noise.std() / math.sqrt(len(noise))
    found = sign_flip(np.zeros(len(noise)), noise + shift, seed=2)  # type: ignore[arg-type]
    assert found == pytest.approx(0.0278, abs=0.008)


def test_graded_values_use_the_randomization_test() -> None:
    assert p_value([0.0] * 7, [1.0] * 7, seed=0) == mcnemar([0.0] * 7, [1.0] * 7)
    graded = p_value([0.1] * 7, [0.6] * 7, seed=0)
    assert graded == sign_flip([0.1] * 7, [0.6] * 7, seed=0) == 2 / 2**7


def test_the_studentized_bootstrap_by_hand() -> None:
    # Ten differences of 0 and ten of 0.5: mean 0.25, standard error √(0.0625/19) = 0.0573539. A resample with J of the
    # larger has t = (J − 10) √19 / √(J (20 − J)). J is binomial, P(J ≤ 5) = 0.0207 and P(J ≤ 6) = 0.0577, so the
    # 2.5 % quantile is at J = 6: −4 · 4.358899 / √84 = −1.902379, and the upper limit 0.25 + 1.902379 · 0.0573539.
    # The lower one is the adjusted Wald interval's, which reaches further down: with rows of ±0.5 added the mean is
    # 5/22 = 0.227273, the variance ((2.5 + 0.5)/22 − 0.0516529)/22 = 0.00385049, half 1.959964 · 0.0620523 = 0.121620.
    found = paired_bootstrap([0.0] * 20, [0.0] * 10 + [0.5] * 10, seed=3)
    assert found.mean == pytest.approx(0.25)
    assert found.high == pytest.approx(0.25 + 1.902379 * 0.0573539, abs=1e-6)
    assert found.low == pytest.approx(0.227273 - 0.121620, abs=2e-6)


def test_what_has_no_variance_falls_back_on_rows_as_large_as_can_be() -> None:
    # Differences 0.2 and 0.5, two rows of ±1 added: mean 0.7/4 = 0.175, variance ((0.29 + 2)/4 − 0.030625)/4 =
    # 0.135469, half 1.959964 · 0.368061 = 0.721386.
    two = paired_bootstrap([0.0, 0.0], [0.2, 0.5], seed=0)
    assert (two.mean, two.low, two.high) == pytest.approx((0.35, -0.546386, 0.896386), abs=2e-6)
    # One row of 0.5: mean 0.5/3, variance (2.25/3 − 0.0277778)/3 = 0.240741, half 1.959964 · 0.490653 = 0.961663.
    one = paired_bootstrap([0.0], [0.5], seed=0)
    assert (one.mean, one.low, one.high) == pytest.approx((0.5, -0.794996, 1), abs=2e-6)
    # Ten rows of 0.3: mean 3/12, variance (2.9/12 − 0.0625)/12 = 0.0149306, half 1.959964 · 0.122191 = 0.239489.
    alike = paired_bootstrap([0.1] * 10, [0.4] * 10, seed=0)
    assert (alike.low, alike.high) == pytest.approx((0.010511, 0.489489), abs=2e-6)


def test_the_interval_of_many_graded_rows_is_about_two_standard_errors() -> None:
    noise = np.random.default_rng(7).uniform(-0.2, 0.3, size=200_000)
    found = paired_bootstrap(np.zeros(len(noise)), noise, seed=3)  # type: ignore[arg-type]
    half = 1.96 * noise.std() / math.sqrt(len(noise))
    assert found.mean == pytest.approx(noise.mean())
    assert found.high - found.mean == pytest.approx(half, rel=0.1)
    assert found.mean - found.low == pytest.approx(half, rel=0.1)


def test_a_skewed_sample_has_a_longer_arm_towards_its_tail() -> None:
    values = np.random.default_rng(2).beta(0.5, 4.5, size=40)
    found = paired_bootstrap(np.zeros(40), values, seed=3)  # type: ignore[arg-type]
    assert found.high - found.mean > 1.2 * (found.mean - found.low)


@given(GRADES)
def test_a_comparison_holds_its_mean_and_flips_with_the_order(pairs: list[tuple[float, float]]) -> None:
    before, after = [b for b, _ in pairs], [a for _, a in pairs]
    there, back = compare(before, after, seed=1), compare(after, before, seed=1)
    assert -1 <= there.low <= there.mean <= there.high <= 1
    assert (back.low, back.mean, back.high) == pytest.approx((-there.high, -there.mean, -there.low), abs=1e-9)
    assert back.p_value == pytest.approx(there.p_value)
    assert 0 < there.p_value <= 1
    assert there.rows == len(pairs)
    turned = {"better": "worse", "worse": "better"}
    assert back.verdict == turned.get(there.verdict, there.verdict)


@given(BITS)
def test_right_or_wrong_scores_get_the_farther_limits_of_both_intervals(
    pairs: list[tuple[float, float]],
) -> None:
    before, after = [b for b, _ in pairs], [a for _, a in pairs]
    found = compare(before, after, seed=1)
    gained, lost = sum(a > b for b, a in pairs), sum(a < b for b, a in pairs)
    one, other = bonett_price(gained, lost, len(pairs)), tango(gained, lost, len(pairs))
    assert (found.mean, found.low) == (one.mean, min(one.low, other.low))
    assert found.high == max(one.high, other.high)
    assert found.p_value == mcnemar_counts(gained, lost)
    assert not found.graded


def test_means_of_groups_add_up_and_a_group_of_one_is_no_certainty() -> None:
    # A row of +50 and three of 0, in points: both ends from two rows of ±50 added to each group. Means 50/3 and 0;
    # variances ((2500 + 5000)/3 − 277.778)/3 = 740.741 and (5000/5)/5 = 200; half 1.959964 · √940.741 = 60.1152.
    found = compare_groups([np.array([50.0]), np.zeros(3)], [50.0, 50.0], seed=0)
    assert (found.mean, found.rows, found.p_value) == (50, 4, 1)
    assert (found.low, found.high) == pytest.approx((50 / 3 - 60.1152, 50 / 3 + 60.1152), abs=1e-3)


def test_the_rows_of_all_groups_are_flipped_together() -> None:
    # By their groups' sizes: 1/4, 1/4, 1/8 and 1/8. Of 16 flips only all up and all down reach 3/4.
    found = compare_groups([np.array([0.5, 0.5]), np.array([0.25, 0.25])], [1.0, 1.0], seed=0)
    assert (found.mean, found.p_value) == (0.75, 2 / 16)


def test_thirds_that_add_up_to_a_gain_are_one() -> None:
    third = 100 / 3
    found = compare_groups([np.array([third + third + third - 2e-14, 0.0, 1e-14])], [100.0], seed=0)
    assert not found.graded
    whole = compare_counts(1, 0, 3)
    assert (found.low, found.high) == pytest.approx((100 * whole.low, 100 * whole.high))


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="same length"):
        mcnemar([1.0], [1.0, 0.0])
    with pytest.raises(ValueError, match="at least 1"):
        compare([], [], seed=0)
