"""The posterior of prompts and rows: values worked out by hand, and a world that it has to recover."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gpo.evaluation.posterior import Prior, fit

NAN = math.nan


def test_one_prompt_on_one_row() -> None:
    # With unit variances both effects are equal, and x = 1 - sigmoid(2 x): x = 0.3374.
    found = fit(np.array([[1.0]]), Prior(0.0, 1.0), row_sd=1.0)
    assert found.theta[0] == pytest.approx(0.33742, abs=1e-4)
    assert found.rows[0] == pytest.approx(0.33742, abs=1e-4)
    assert found.theta[0] == pytest.approx(1 - 1 / (1 + math.exp(-2 * found.theta[0])), abs=1e-6)
    # The information of a Bernoulli is p (1 - p); the prior adds 1.
    p = 1 / (1 + math.exp(-2 * found.theta[0]))
    assert found.sd[0] == pytest.approx((p * (1 - p) + 1) ** -0.5, abs=1e-6)
    assert found.mean(0) == pytest.approx(p)


def test_where_rows_are_alike_a_prompt_is_its_share_drawn_to_the_prior() -> None:
    # Rows that cannot differ: 3 of 4 right, theta = m + t² (3 - 4 sigmoid(theta)).
    found = fit(np.array([[1.0, 1.0, 1.0, 0.0]]), Prior(-0.5, 0.25), row_sd=1e-4)
    theta = found.theta[0]
    assert theta == pytest.approx(-0.5 + 0.25 * (3 - 4 / (1 + math.exp(-theta))), abs=1e-5)
    assert -0.5 < theta < math.log(3)


def test_nothing_met_is_the_prior() -> None:
    found = fit(np.array([[1.0, 0.0], [NAN, NAN]]), Prior(0.3, 0.5))
    assert found.theta[1] == pytest.approx(0.3)
    assert found.sd[1] == pytest.approx(0.5**0.5)
    empty = fit(np.full((2, 3), NAN))
    assert empty.mean(0) == pytest.approx(0.5)


def test_a_share_counts_as_so_much_of_a_right_answer() -> None:
    half = fit(np.array([[0.5, 0.5]]), Prior(0.0, 1.0))
    assert half.mean(0) == pytest.approx(0.5)


def test_hard_rows_are_held_to_nobodys_account() -> None:
    # Prompt 0 met the rows that all get right, prompt 1 those that all get wrong; both did as the others.
    scores = np.array([[1, 1, NAN, NAN], [NAN, NAN, 0, 0], *[[1, 1, 0, 0]] * 6], dtype=float)
    found = fit(scores, Prior(0.0, 0.5))
    raw = (1.0, 0.0)
    assert abs(found.theta[0] - found.theta[1]) < 1.0
    assert abs(found.mean(0) - found.mean(1)) < 0.25 * abs(raw[0] - raw[1])


def test_fewer_rows_are_drawn_further_to_the_others() -> None:
    few = np.array([[1, 1, *[NAN] * 8], [1] * 10, *[[1, 0] * 5] * 4], dtype=float)
    found = fit(few)
    assert found.theta[0] < found.theta[1]
    assert found.sd[0] > found.sd[1]


def test_the_same_table_gives_the_same() -> None:
    scores = np.where(np.random.default_rng(1).random((9, 12)) < 0.5, 1.0, NAN)
    first, again = fit(scores), fit(scores.copy())
    assert (first.theta == again.theta).all()
    assert first.prior == again.prior


def test_a_useless_prompt_is_not_drawn_up_to_the_good_ones() -> None:
    # Nine prompts get 3 of 6; the tenth none of 4. Under one prior alone it would be held for nearly as good.
    scores = np.array([[NAN, NAN, 0, 0, 0, 0], *[np.roll([1, 0] * 3, k) for k in range(9)]], dtype=float)
    found = fit(scores)
    assert found.mean(0) < 0.3
    assert found.readable[0] < 0.6 < 0.9 < found.readable[1]
    assert all(found.mean(prompt) == pytest.approx(0.5, abs=0.03) for prompt in range(1, 10))


def _world(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True means over many rows, sparse scores on 40, and their plain means: 30 prompts, 6 rows each and more of the
    few that looked best."""
    rng = np.random.default_rng(seed)
    theta, rows = rng.normal(0.3, 0.4, 30), rng.normal(0, 1.2, 2040)
    chance = 1 / (1 + np.exp(-(theta[:, None] + rows)))
    right = (rng.random(chance.shape) < chance).astype(float)
    scores = np.full((30, 40), NAN)
    for prompt in range(30):
        met = rng.permutation(40)[:6]
        scores[prompt, met] = right[prompt, met]
    for prompt in np.argsort(-np.nanmean(scores, axis=1))[:6]:
        scores[prompt, :24] = right[prompt, :24]
    return chance[:, 40:].mean(axis=1), scores, np.nanmean(scores, axis=1)


def test_it_recovers_a_simulated_world_better_than_plain_means() -> None:
    picked, raw_picked, flattery, raw_flattery = [], [], [], []
    for seed in range(60):
        truth, scores, raw = _world(seed)
        found = fit(scores)
        best, raw_best = int(np.argmax(found.theta)), int(np.argmax(raw))
        picked.append(truth[best])
        raw_picked.append(truth[raw_best])
        flattery.append(found.mean(best) - truth[best])
        raw_flattery.append(raw[raw_best] - truth[raw_best])
    assert np.mean(picked) > np.mean(raw_picked)
    assert abs(np.mean(flattery)) < 0.06 < np.mean(raw_flattery)
