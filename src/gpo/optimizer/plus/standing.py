"""What is believed of the prompts of the pool: their estimates, who only guesses, and who leads. Asks nothing."""

from __future__ import annotations

from collections.abc import Sequence

from gpo.optimizer.plus.duel import pick_best
from gpo.optimizer.plus.estimates import Estimates, estimate_by_means, estimate_by_posterior
from gpo.optimizer.plus.guessing import LEAST_ROWS, is_guessing
from gpo.optimizer.plus.moves.signal import Signal, find_signal
from gpo.optimizer.plus.table import ScoreTable


class Standing:
    """Reads `table`; prompts are compared by the posterior, or by plain means where `posterior` is off."""

    def __init__(self, table: ScoreTable, *, posterior: bool) -> None:
        self.estimated_by = "posterior mean" if posterior else "mean over the rows that each prompt met"
        self._table = table
        self._estimate = estimate_by_posterior if posterior else estimate_by_means
        # Asked often, of a prompt with so many outcomes always the same.
        self._guesses: dict[tuple[int, int, int], bool] = {}
        self._fitted: tuple[tuple[int, int], Estimates] | None = None

    @property
    def estimates(self) -> Estimates:
        """What is believed now."""
        key = (len(self._table.entries), self._table.asked)
        if self._fitted is None or self._fitted[0] != key:
            self._fitted = key, self._estimate(self._table.scores())
        return self._fitted[1]

    def guesses(self, entry: int, least: int = LEAST_ROWS) -> bool:
        """Whether a prompt was seen to say nearly always the same, on at least so many rows."""
        outcomes = self._table.outcomes(entry)
        key = entry, len(outcomes), least
        if key not in self._guesses:
            labels = [self._table.rows[row].label for row in outcomes]
            self._guesses[key] = is_guessing(outcomes.values(), labels, least)
        return self._guesses[key]

    @property
    def guessing(self) -> list[int]:
        """All that do."""
        return [entry for entry in range(len(self._table.entries)) if self.guesses(entry)]

    @property
    def met(self) -> list[int]:
        """All that were asked about."""
        return [entry for entry in range(len(self._table.entries)) if self._table.met(entry)]

    def able(self, entries: Sequence[int]) -> list[int]:
        """Those of `entries` that were asked about and do not guess."""
        return [entry for entry in entries if self._table.met(entry) and not self.guesses(entry)]

    def eligible(self) -> list[int]:
        """The prompts that may be handed out: none that only guesses while there are others."""
        return self.able(self.met) or self.met

    @property
    def leader(self) -> int:
        """The best prompt by the estimates; the first one before anything is known."""
        best = pick_best(self.estimates, self.eligible(), 1)
        return best[0] if best else 0

    def signal(self) -> Signal:
        """Which words go with higher scores."""
        met, found = self.met, self.estimates
        return find_signal([self._table.entries[entry] for entry in met], found.theta[met], found.sd[met])
