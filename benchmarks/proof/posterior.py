"""What the replay asks of gpo+: a posterior of prompts over a sparse table, and a plan from a budget.

`Posterior` and `Plan` are what another implementation has to give; here is a small one of our own, to be replaced by
that of the package where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Per prompt the posterior `mean` and `sd` of its ability (logits; -inf where it was never asked), per row its ease
    (logits)."""

    mean: Floats
    sd: Floats
    rows: Floats

    def accuracy(self, prompt: int) -> float:
        """The mean value in 0..1 that `prompt` is expected to have over all rows of the table."""
        return float(_sigmoid(self.mean[prompt] + self.rows).mean())

    def information(self, prompt: int) -> Floats:
        """p (1 - p) of every row under `prompt`: how much an answer there tells."""
        chance = _sigmoid(self.mean[prompt] + self.rows)
        found: Floats = chance * (1 - chance)
        return found


class Posterior(Protocol):
    """From values in 0..1 (prompts × rows) and which of them were asked, to an `Estimate`."""

    def __call__(self, values: Floats, asked: Mask) -> Estimate: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of a search: `children` a generation on `first` rows each, two finalists on `second` rows, `duel` calls for
    the last duel of `finalists`."""

    children: int
    first: int
    second: int
    duel: int
    finalists: int = 6


def plan(budget: int, rows: int) -> Plan:
    """What a budget of task calls pays for, with `rows` rows of dev: 300 calls give 4 children, 4 and 8 rows."""
    generations = 10 * (budget / 300) ** 0.4
    share = 0.8 * budget / generations
    children = 4 if share < 40 else 6
    first = 4 if share < 80 else 6
    second = int(first + max(4, (share - children * first) / 2))
    return Plan(children, min(rows, first), min(rows, second), duel=round(0.2 * budget))


ROW_SD = 1.3
SWEEPS = 120
"""The prior's variance settles slowly where prompts hardly differ: after 12 sweeps it still lets noise pass for
ability, and dev flattered by 10 points more."""


def rasch(values: Floats, asked: Mask) -> Estimate:
    """A Rasch model (G. Rasch 1960): logit of a right answer = ability of the prompt + ease of the row. Rows have a
    normal prior of sd `ROW_SD`; the prompts' prior is fitted on those that are readable, which lie within two of its
    sds of its mean, so that junk far below does not widen it. Laplace's approximation, damped Newton steps."""
    count, rows = values.shape
    ability, ease = np.zeros(count), np.zeros(rows)
    centre, spread = 0.0, 0.5
    met = asked.sum(axis=1)
    weights = asked.astype(float)
    sd = np.ones(count)
    for _ in range(SWEEPS):
        slope, information = _slopes(values, weights, ability, ease)
        ease = ease + 0.8 * (slope.sum(axis=0) - ease / ROW_SD**2) / (information.sum(axis=0) + ROW_SD**-2)
        slope, information = _slopes(values, weights, ability, ease)
        precision = information.sum(axis=1) + 1 / spread
        step = (slope.sum(axis=1) - (ability - centre) / spread) / precision
        ability = ability + 0.9 * np.clip(step, -1.5, 1.5)
        sd = 1 / np.sqrt(precision)
        readable = (met >= 4) & (ability > centre - 2 * np.sqrt(spread) - 0.3)
        if readable.sum() >= 4:
            centre, spread = _prior(ability[readable], sd[readable], centre, spread)
    return Estimate(np.where(met > 0, ability, -np.inf), sd, ease)


def _slopes(values: Floats, weights: Floats, ability: Floats, ease: Floats) -> tuple[Floats, Floats]:
    chance = _sigmoid(ability[:, None] + ease[None, :])
    return (values - chance) * weights, chance * (1 - chance) * weights


def _prior(ability: Floats, sd: Floats, centre: float, spread: float) -> tuple[float, float]:
    """Mean and variance of the prompts' prior, moved two fifths of the way to their estimates."""
    weights = 1 / (sd**2 + spread)
    mean = float(np.average(ability, weights=weights))
    variance = float(np.average((ability - mean) ** 2 + sd**2, weights=weights))
    return 0.6 * centre + 0.4 * mean, float(np.clip(0.6 * spread + 0.4 * variance, 0.02, 2.5))


def _sigmoid(value: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-np.clip(value, -30, 30)))
    return found
