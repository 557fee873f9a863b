"""How many rows a gain needs: against sums by hand, and against every outcome judged one by one."""

from __future__ import annotations

from math import comb

import pytest

from gpo.evaluation.statistics import Verdict, compare_counts
from gpo.evaluation.statistics.discordance import assume_discordance
from gpo.evaluation.statistics.power import power, rows_needed, smallest_gain


def test_power_by_hand() -> None:
    # All rows differ, each rises with 0.9. Of 6 all must rise: 0.9⁶. Of 8 too (7 to 1: p = 18/256 = 0.07): 0.9⁸.
    assert power(6, 0.8, 1.0) == pytest.approx(0.531441)
    assert power(8, 0.8, 1.0) == pytest.approx(0.430467, abs=1e-6)
    # Of 9 one may fall (p = 20/512 = 0.039): 0.9⁹ + 9 · 0.1 · 0.9⁸.
    assert power(9, 0.8, 1.0) == pytest.approx(0.774841, abs=1e-6)
    # Half of 10 rows differ and all of these rise: P(at least 6 of 10) = 386/1024.
    assert power(10, 0.5, 0.5) == pytest.approx(386 / 1024)
    assert power(5, 1.0, 1.0) == 0


@pytest.mark.parametrize(("rows", "gain", "discordance"), [(12, 0.3, 0.5), (25, 0.1, 0.2), (30, 0.0, 0.3)])
def test_power_is_the_chance_of_all_outcomes_called_better(
    rows: int, gain: float, discordance: float
) -> None:
    up, down = (discordance + gain) / 2, (discordance - gain) / 2
    total = 0.0
    for gained in range(rows + 1):
        for lost in range(rows - gained + 1):
            if compare_counts(gained, lost, rows).verdict is Verdict.BETTER:
                ways = comb(rows, gained) * comb(rows - gained, lost)
                total += ways * up**gained * down**lost * (1 - discordance) ** (rows - gained - lost)
    assert power(rows, gain, discordance) == pytest.approx(total, abs=1e-9)


def test_rows_needed_are_the_fewest_and_near_the_formula_for_large_samples() -> None:
    found = rows_needed(0.05, 0.2)
    assert found is not None
    assert power(found, 0.05, 0.2) >= 0.8 > power(found - 1, 0.05, 0.2)
    # Connor 1987: (1.96 · √0.2 + 0.8416 · √(0.2 − 0.0025))² / 0.0025 = 1.5639/0.0025 = 626, for a test that is not
    # exact and so says better a little sooner.
    assert 626 < found < 1.1 * 626
    assert rows_needed(0.05, 0.2, most=500) is None


def test_the_smallest_gain_is_the_first_that_is_seen() -> None:
    found = smallest_gain(100, lambda gain: 0.3 if gain <= 0.3 else 0.0)
    assert found is not None
    assert power(100, found, 0.3) >= 0.8 > power(100, found - 0.001, 0.3)
    assert smallest_gain(5, lambda gain: 1.0) is None
    assert smallest_gain(100, lambda gain: 0.05 if gain <= 0.05 else 0.0) is None


def test_how_far_prompts_are_taken_to_differ() -> None:
    assert assume_discordance(0.05) == 0.2
    assert assume_discordance(0.3) == pytest.approx(0.4)
    # From 0.6 to 0.7 without anything in common: 0.6 · 0.3 + 0.7 · 0.4.
    assert assume_discordance(0.1, baseline=0.6) == pytest.approx(0.46)
    assert assume_discordance(0.1, 0.15, 0.6) == 0.15
    for gain, given, baseline, said in (
        (0.2, 0.1, None, "at most 10 points"),
        (0.2, None, 0.9, "at most 10 points"),
        (0.1, 0.5, 0.05, "cannot differ on 50 %.* with a gain of 10 points"),
        (
            0.05,
            0.4,
            0.9,
            "over a baseline of 90 points prompts cannot differ on 40 %.* with a gain of 5 points",
        ),
        (0.2, None, 0.9, "over a baseline of 90 points a gain is at most 10 points"),
    ):
        with pytest.raises(ValueError, match=said):
            assume_discordance(gain, given, baseline)
    with pytest.raises(ValueError, match="at most the share"):
        power(10, 0.3, 0.2)
