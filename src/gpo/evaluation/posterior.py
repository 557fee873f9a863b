"""A posterior over prompts from sparse scores: rows differ in difficulty, and few rows say little about a prompt.

    P(prompt i is right on row j) = sigmoid(theta_i + b_j),   theta_i ~ N(m, t²),   b_j ~ N(0, s²)

The model of Rasch (1960), fitted by its posterior mode; m and t² come from the prompts themselves (empirical Bayes), so
that a lucky prompt is drawn towards the others. Row effects are what PromptEval (Polo et al. 2024, arXiv 2405.17202)
pools over prompts; here they let prompts be compared that met different rows. Scores between 0 and 1 count as that much
of a right answer. Knows no prompt's text and no search.

A covariate (such as the log-probability of the right answer, where an endpoint gives it) would enter as one more row
effect whose slope is fitted: `fit` is where it would go. It is not there, since it was not measured to help.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ROW_SD = 1.3
"""Of row effects, in logits."""
SPREAD, LEAST_SPREAD, MOST_SPREAD = 0.5, 0.02, 2.5
"""Variance of prompts: where nothing is known yet, and its bounds."""
READABLE = 4
"""So many prompts, of as many rows each, tell how far good prompts spread."""
ROUNDS, STEPS = 8, 3
"""Updates of the prior, and steps of Newton's method before each."""
LONGEST_STEP = 1.5


@dataclass(frozen=True, slots=True)
class Prior:
    """Mean and variance of prompts, in logits."""

    mean: float
    variance: float


@dataclass(frozen=True, slots=True)
class Posterior:
    """`theta` and `sd` (logits) of each prompt, `rows` the effect of each row, higher is easier; the `prior` that they
    were shrunk to. Of a prompt that met no row nothing but the prior is known."""

    theta: Array
    sd: Array
    rows: Array
    prior: Prior

    def probability(self, prompt: int) -> Array:
        """Of a right answer of `prompt`, by row."""
        return sigmoid(self.theta[prompt] + self.rows)

    def mean(self, prompt: int) -> float:
        """Expected score of `prompt` over all rows, in 0..1, whichever of them it met."""
        return float(self.probability(prompt).mean())


def fit(scores: Array, prior: Prior | None = None, *, row_sd: float = ROW_SD) -> Posterior:
    """The posterior of a table of `scores` in 0..1, shape (prompts, rows), NaN where a prompt did not meet a row.

    `prior` is fixed where it is given, else found from the table. A pure function of the table.
    """
    state = _State(scores, prior, row_sd**2)
    for _ in range(ROUNDS):
        for _ in range(STEPS):
            state.step()
        if prior is None:
            state.update_prior()
    for _ in range(STEPS):
        state.step()
    return Posterior(state.theta, state.sd(), state.rows, state.prior)


def sigmoid(logits: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    import numpy as np

    return 1.0 / (1.0 + np.exp(-np.minimum(np.maximum(logits, -30.0), 30.0)))


class _State:
    """The fit under way: rows and prompts take turns. Works on the cells that are known, since most are not."""

    def __init__(self, scores: Array, prior: Prior | None, row_variance: float) -> None:
        import numpy as np

        self._shape = scores.shape
        self._prompt, self._row = np.nonzero(~np.isnan(scores))
        self._values: Array = scores[self._prompt, self._row]
        self._row_variance = row_variance
        self._counts = self._by_prompt(np.ones(len(self._values)))
        self.prior = prior or self._first_prior()
        self.theta: Array = np.full(self._shape[0], self.prior.mean)
        self.rows: Array = np.zeros(self._shape[1])

    def step(self) -> None:
        """A step of Newton's method for all rows, then one for all prompts; bounded, so that it cannot swing."""
        errors, information = self._residuals()
        gradient = self._by_row(errors) - self.rows / self._row_variance
        self.rows = self.rows + _bounded(gradient / (self._by_row(information) + 1 / self._row_variance))
        errors, information = self._residuals()
        gradient = self._by_prompt(errors) - (self.theta - self.prior.mean) / self.prior.variance
        precision = self._by_prompt(information) + 1 / self.prior.variance
        self.theta = self.theta + _bounded(gradient / precision)

    def sd(self) -> Array:
        """Of each prompt, with the rows held fixed (Laplace)."""
        _, information = self._residuals()
        found: Array = (self._by_prompt(information) + 1 / self.prior.variance) ** -0.5
        return found

    def update_prior(self) -> None:
        """Mean and spread of the readable prompts; those far below say nothing about the spread of good ones."""
        prior, sd = self.prior, self.sd()
        floor = prior.mean - 2 * math.sqrt(prior.variance) - 0.3
        readable = (self.theta > floor) & (self._counts >= READABLE)
        if readable.sum() < READABLE:
            return
        theta, variance = self.theta[readable], sd[readable] ** 2
        weights = 1 / (variance + prior.variance)
        weights = weights / weights.sum()
        mean = float(weights @ theta)
        spread = float(weights @ ((theta - mean) ** 2 + variance))
        # Damped: the readable ones depend on it.
        self.prior = Prior(
            0.6 * prior.mean + 0.4 * mean,
            min(MOST_SPREAD, max(LEAST_SPREAD, 0.6 * prior.variance + 0.4 * spread)),
        )

    def _first_prior(self) -> Prior:
        """By the better half of the prompts: what cannot be read says nothing about good prompts."""
        import numpy as np

        met = self._counts > 0
        if not met.any():
            return Prior(0.0, SPREAD)
        shares = np.sort((self._by_prompt(self._values)[met] + 1) / (self._counts[met] + 2))
        share = float(shares[len(shares) // 2 :].mean())
        return Prior(math.log(share / (1 - share)), SPREAD)

    def _residuals(self) -> tuple[Array, Array]:
        probability = sigmoid(self.theta[self._prompt] + self.rows[self._row])
        return self._values - probability, probability * (1 - probability)

    def _by_prompt(self, cells: Array) -> Array:
        import numpy as np

        found: Array = np.bincount(self._prompt, cells, self._shape[0]).astype(np.float64, copy=False)
        return found

    def _by_row(self, cells: Array) -> Array:
        import numpy as np

        found: Array = np.bincount(self._row, cells, self._shape[1]).astype(np.float64, copy=False)
        return found


def _bounded(change: Array) -> Array:
    import numpy as np

    found: Array = np.minimum(np.maximum(change, -LONGEST_STEP), LONGEST_STEP)
    return found
