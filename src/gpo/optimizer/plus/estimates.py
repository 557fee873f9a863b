"""Noise-aware scores, the analogue of variance reduction: what is believed of each prompt after few rows.

`posterior` shrinks and pools row effects; `raw` is the plain mean over the rows that a prompt met, for the ablation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gpo.evaluation.posterior import fit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gpo.evaluation.posterior import Array


class Estimates(Protocol):
    """`theta` ranks the prompts, `sd` is how sure that is, in the same unit."""

    @property
    def theta(self) -> Array:
        """By prompt, higher is better."""

    @property
    def sd(self) -> Array:
        """Standard deviation of `theta`, by prompt."""

    def mean(self, prompt: int) -> float:
        """Expected score in 0..1."""

    def information(self, prompt: int) -> Array:
        """How much each row would tell about a prompt as good as `prompt`: p (1 - p)."""


@dataclass(frozen=True, slots=True)
class PosteriorEstimates:
    """By the posterior of `gpo.evaluation.posterior`; scores are over all rows of the table."""

    theta: Array
    sd: Array
    probabilities: Array

    def mean(self, prompt: int) -> float:
        """Mean of the probabilities of a right answer."""
        return float(self.probabilities[prompt].mean())

    def information(self, prompt: int) -> Array:
        """Greatest where a right answer is as likely as a wrong one."""
        p = self.probabilities[prompt]
        found: Array = p * (1 - p)
        return found


@dataclass(frozen=True, slots=True)
class RawMeans:
    """By plain means, each over the rows that its prompt met; a prompt that met less than three quarters of the most
    rows ranks behind those that met more."""

    theta: Array
    sd: Array
    means: Array
    rows: int

    def mean(self, prompt: int) -> float:
        """The mean; 0 where no row was met."""
        return float(self.means[prompt])

    def information(self, prompt: int) -> Array:
        """Nothing is known of single rows."""
        import numpy as np

        return np.zeros(self.rows)


def estimate_by_posterior(scores: Array) -> PosteriorEstimates:
    """Of a table of scores, shape (prompts, rows), NaN where nothing is known."""
    import numpy as np

    found = fit(scores)
    table = np.stack([found.probability(prompt) for prompt in range(len(scores))])
    return PosteriorEstimates(found.theta, found.sd, table)


def estimate_by_means(scores: Array) -> RawMeans:
    """The same for plain means."""
    import numpy as np

    met: NDArray[np.bool_] = ~np.isnan(scores)
    counts = met.sum(axis=1)
    means = np.where(met, scores, 0.0).sum(axis=1) / np.maximum(counts, 1)
    sd = np.sqrt(np.maximum(means * (1 - means), 0.05) / np.maximum(counts, 1))
    behind = counts < 0.75 * counts.max(initial=0)
    return RawMeans(means - behind, sd, means, scores.shape[1])
