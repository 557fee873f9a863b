"""Best-arm identification against values worked out by hand."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.optimizer.published.bandit import (
    BruteForce,
    Selection,
    SuccessiveHalving,
    SuccessiveRejects,
    Ucb,
    rejection_schedule,
    ucb_score,
)


class Bench:
    """Arm i has the value `means[i]` on every row; keeps what was played."""

    def __init__(self, means: Sequence[float]) -> None:
        self.means = means
        self.rounds: list[tuple[list[int], list[int]]] = []

    async def play(self, arms: Sequence[int], rows: Sequence[int]) -> list[list[float | None]]:
        self.rounds.append((list(arms), list(rows)))
        return [[self.means[arm]] * len(rows) for arm in arms]

    @property
    def pairs(self) -> int:
        return sum(len(arms) * len(rows) for arms, rows in self.rounds)


def test_ucb_score() -> None:
    # ln 1 = 0: in the first round there is nothing but the mean.
    assert ucb_score(0.5, 32, 1, 1.0) == 0.5
    # √(ln 8 / 32) = √(2.0794 / 32) = 0.25492
    assert ucb_score(0.5, 32, 8, 1.0) == pytest.approx(0.75492, abs=1e-5)
    assert ucb_score(0.5, 32, 8, 2.0) == pytest.approx(1.00984, abs=1e-5)
    assert ucb_score(0.5, 32, 8, 0.0) == 0.5
    assert ucb_score(None, 0, 3, 1.0) == math.inf


def test_rejection_schedule() -> None:
    # 4 arms: log-bar = 1/2 + 1/2 + 1/3 + 1/4 = 19/12. Budget 99: n_k = (99 - 4) · 12/19 / (5 - k) = 60 / (5 - k),
    # so 15, 20, 30 in all, which is 15, then 5, then 10 more.
    assert rejection_schedule(4, 1, 99) == [15, 5, 10]
    assert rejection_schedule(4, 2, 99) == [15, 5]
    assert rejection_schedule(4, 4, 99) == []
    # A phase never has less than 4.
    assert rejection_schedule(4, 1, 23) == [4, 4, 4]


@given(st.integers(2, 40), st.integers(200, 5000))
def test_a_schedule_keeps_to_its_budget(arms: int, budget: int) -> None:
    schedule = rejection_schedule(arms, 1, budget, least=0)
    spent = sum((arms - k) * samples for k, samples in enumerate(schedule))
    assert spent <= budget


async def test_ucb_plays_every_arm_before_any_twice_and_then_the_best() -> None:
    bench = Bench([0.1, 0.2, 0.9, 0.3, 0.4, 0.8])
    ranking = await Ucb(4, 2, 10).run(6, 50, 2, bench.play, random.Random(1))
    first = [arm for arms, _ in bench.rounds[:3] for arm in arms]
    assert sorted(first) == [0, 1, 2, 3, 4, 5]
    assert sorted(bench.rounds[3][0]) == [2, 5]
    assert all(len(set(rows)) == 10 for _, rows in bench.rounds)
    assert bench.pairs == 4 * 2 * 10
    assert ranking.best == (2, 5)
    assert ranking.means == pytest.approx((0.1, 0.2, 0.9, 0.3, 0.4, 0.8))


async def test_ucb_explores_as_c_says() -> None:
    # Two arms of 0.5 and 0.6 on 1 row each. Round 3 (t = 3): with c = 0 the better one again, and again.
    bench = Bench([0.5, 0.6])
    await Ucb(6, 1, 1, c=0).run(2, 50, 1, bench.play, random.Random(0))
    assert [arms for arms, _ in bench.rounds][2:] == [[1]] * 4
    # With c = 1 the bounds in round 4 are 0.5 + √(ln 4 / 1) = 1.677 and 0.6 + √(ln 4 / 2) = 1.433: the other one.
    bench = Bench([0.5, 0.6])
    await Ucb(4, 1, 1, c=1).run(2, 50, 1, bench.play, random.Random(0))
    assert [arms for arms, _ in bench.rounds][2:] == [[1], [0]]


async def test_successive_rejects_drops_the_worst_until_the_beam_is_left() -> None:
    bench = Bench([0.1, 0.9, 0.5, 0.7])
    ranking = await SuccessiveRejects(99).run(4, 100, 2, bench.play, random.Random(0))
    assert [arms for arms, _ in bench.rounds] == [[0, 1, 2, 3], [1, 2, 3]]
    assert [len(rows) for _, rows in bench.rounds] == [15, 5]
    assert not set(bench.rounds[0][1]) & set(bench.rounds[1][1])
    assert ranking.best == (1, 3)


async def test_successive_halving_halves() -> None:
    # 8 arms, 3 phases: 240 / (8 · 3) = 10 rows, then 240 / (4 · 3) = 20; then 2 are left, as many as are wanted.
    bench = Bench([0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6])
    ranking = await SuccessiveHalving(240).run(8, 100, 2, bench.play, random.Random(0))
    assert [arms for arms, _ in bench.rounds] == [[0, 1, 2, 3, 4, 5, 6, 7], [1, 3, 5, 7]]
    assert [len(rows) for _, rows in bench.rounds] == [10, 20]
    assert ranking.best == (1, 3)


async def test_brute_force_plays_all_arms_on_the_same_rows() -> None:
    bench = Bench([0.1, 0.9, 0.5])
    ranking = await BruteForce(64).run(3, 100, 2, bench.play, random.Random(0))
    assert [(arms, len(set(rows))) for arms, rows in bench.rounds] == [([0, 1, 2], 21)]
    assert ranking.best == (1, 2)


async def test_a_row_that_cannot_be_scored_is_no_zero() -> None:
    async def play(arms: Sequence[int], rows: Sequence[int]) -> list[list[float | None]]:
        return [[None if arm == 0 and row % 2 else 0.5 for row in rows] for arm in arms]

    ranking = await BruteForce(40).run(2, 20, 1, play, random.Random(0))
    assert ranking.means == (0.5, 0.5)


@pytest.mark.parametrize(
    "selection", [Ucb(8, 8, 32), SuccessiveRejects(500), SuccessiveHalving(500), BruteForce(500)]
)
@given(means=st.lists(st.integers(0, 100), min_size=1, max_size=30, unique=True), keep=st.integers(1, 4))
async def test_every_selection_finds_the_best_of_noiseless_arms(
    selection: Selection, means: list[int], keep: int
) -> None:
    keep = min(keep, len(means))
    bench = Bench([mean / 100 for mean in means])
    ranking = await selection.run(len(means), 40, keep, bench.play, random.Random(0))
    # Where as many are wanted as there are, nothing need be played and the order says nothing.
    assert {means[arm] for arm in ranking.best} == set(sorted(means)[-keep:])
