"""A posterior over prompts from sparse scores: rows differ in difficulty, and few rows say little about a prompt.

    P(prompt i is right on row j) = sigmoid(theta_i + b_j),   theta_i ~ N(m, t²),   b_j ~ N(0, s²)

The model of Rasch (1960), fitted by its posterior mode; m and t² come from the prompts themselves (empirical Bayes), so
that a lucky prompt is drawn towards the others. Row effects are what PromptEval (Polo et al. 2024, arXiv 2405.17202)
pools over prompts; here they let prompts be compared that met different rows. Some prompts are of no use at all: the
expected score of a prompt is a mixture with a second, low and wide prior, by the evidence of both (Laplace). Otherwise
four failures in a row would be told as nearly the score of the good ones. Scores between 0 and 1 count as that much of
a right answer.

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
SPREAD, LEAST_SPREAD, MOST_SPREAD = 0.5, 0.05, 2.5
"""Variance of prompts: where nothing is known yet, and its bounds."""
READABLE = 4
"""So many prompts, of as many rows each, tell how far good prompts spread."""
BELOW, USELESS_VARIANCE = 2.5, 2.25
"""Of prompts of no use: so many logits under the readable ones, with that variance."""
LEAST_USELESS, MOST_USELESS = 0.1, 0.5
"""Bounds of their share."""
ROUNDS = 24
"""Updates of the prior, each after one step of Newton's method."""
LOW_STEPS = 6
LONGEST_STEP = 1.5


@dataclass(frozen=True, slots=True)
class Prior:
    """Mean and variance of prompts, in logits."""

    mean: float
    variance: float


@dataclass(frozen=True, slots=True)
class Posterior:
    """`theta` and `sd` (logits) of each prompt, which rank them; `rows` the effect of each row, higher is easier; the
    `prior` of good prompts. Each prompt is that with the probability `readable`, else of no use, at `low` logits.

    Of a prompt that met no row nothing but the prior is known.
    """

    theta: Array
    sd: Array
    rows: Array
    prior: Prior
    low: Array
    readable: Array

    def probability(self, prompt: int) -> Array:
        """Of a right answer of `prompt`, by row."""
        good, low = sigmoid(self.theta[prompt] + self.rows), sigmoid(self.low[prompt] + self.rows)
        found: Array = self.readable[prompt] * good + (1 - self.readable[prompt]) * low
        return found

    def mean(self, prompt: int) -> float:
        """Expected score of `prompt` over all rows, in 0..1, whichever of them it met."""
        return float(self.probability(prompt).mean())


def fit(scores: Array, prior: Prior | None = None, *, row_sd: float = ROW_SD) -> Posterior:
    """The posterior of a table of `scores` in 0..1, shape (prompts, rows), NaN where a prompt did not meet a row.

    `prior` is fixed where it is given, and then every prompt comes from it; else it is found from the table, beside the
    one of useless prompts. A pure function of the table.
    """
    import numpy as np

    state = _State(scores, prior, row_sd**2)
    for _ in range(ROUNDS):
        state.step()
        if prior is None:
            state.update_prior()
    state.step()
    low, readable = state.useless() if prior is None else (state.theta, np.ones(len(scores)))
    return Posterior(state.theta, state.sd(), state.rows, state.prior, low, readable)


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
        errors, information = self._residuals(self.theta)
        gradient = self._by_row(errors) - self.rows / self._row_variance
        self.rows = self.rows + _bounded(gradient / (self._by_row(information) + 1 / self._row_variance))
        self.theta = self._prompt_step(self.theta, self.prior)

    def sd(self) -> Array:
        """Of each prompt, with the rows held fixed (Laplace)."""
        return self._deviation(self.theta, self.prior)

    def useless(self) -> tuple[Array, Array]:
        """Where each prompt is if it is of no use, and the probability that it is not, by the evidence of both."""
        import numpy as np

        useless = Prior(self.prior.mean - BELOW, USELESS_VARIANCE)
        low = np.minimum(self.theta, useless.mean)
        for _ in range(LOW_STEPS):
            low = self._prompt_step(low, useless)
        met = self._counts > 0
        below = met & ~self._readable()
        share = min(MOST_USELESS, max(LEAST_USELESS, float(below.sum() / max(1, met.sum()))))
        logits = self._evidence(self.theta, self.sd(), self.prior)
        logits = logits - self._evidence(low, self._deviation(low, useless), useless)
        return low, np.where(met, sigmoid(logits + math.log((1 - share) / share)), 1.0)

    def update_prior(self) -> None:
        """Mean and spread of the readable prompts; those far below say nothing about the spread of good ones."""
        import numpy as np

        prior, sd = self.prior, self.sd()
        readable = self._readable() & (self._counts >= READABLE)
        if readable.sum() < READABLE:
            return
        theta, variance = self.theta[readable], sd[readable] ** 2
        weights = 1 / (variance + prior.variance)
        weights = weights / weights.sum()
        mean = float(weights @ theta)
        # By the effective number of prompts (MacKay 1992), which gets there sooner than the expectation of the squares.
        told = float(weights @ (1 - np.minimum(variance / prior.variance, 0.99)))
        spread = float(weights @ (theta - mean) ** 2) / told
        # Damped: the readable ones depend on it.
        self.prior = Prior(
            0.5 * prior.mean + 0.5 * mean,
            min(MOST_SPREAD, max(LEAST_SPREAD, 0.5 * prior.variance + 0.5 * spread)),
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

    def _readable(self) -> NDArray[np.bool_]:
        floor = self.prior.mean - 2 * math.sqrt(self.prior.variance) - 0.3
        found: NDArray[np.bool_] = self.theta > floor
        return found

    def _prompt_step(self, theta: Array, prior: Prior) -> Array:
        errors, information = self._residuals(theta)
        gradient = self._by_prompt(errors) - (theta - prior.mean) / prior.variance
        return theta + _bounded(gradient / (self._by_prompt(information) + 1 / prior.variance))

    def _deviation(self, theta: Array, prior: Prior) -> Array:
        _, information = self._residuals(theta)
        found: Array = (self._by_prompt(information) + 1 / prior.variance) ** -0.5
        return found

    def _evidence(self, theta: Array, sd: Array, prior: Prior) -> Array:
        """Logarithm of the probability of each prompt's scores under `prior`, without what all priors share."""
        import numpy as np

        logits = theta[self._prompt] + self.rows[self._row]
        likelihood = self._values * logits - np.logaddexp(0.0, logits)
        density = -((theta - prior.mean) ** 2) / (2 * prior.variance) - math.log(prior.variance) / 2
        return self._by_prompt(likelihood) + density + np.log(sd)

    def _residuals(self, theta: Array) -> tuple[Array, Array]:
        probability = sigmoid(theta[self._prompt] + self.rows[self._row])
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
