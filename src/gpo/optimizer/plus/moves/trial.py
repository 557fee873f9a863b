"""Whether a move earns its place: its candidates have to win, or its places go to other moves.

What a model writes helps where the model is strong enough, and nobody can tell beforehand: small ones misread causes
(Ma et al., arXiv 2402.02101), and many of their replies are no prompts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class MoveTrial:
    """How often candidates of a move were `tried` and `won` a place in the final of a step; no decision falls before
    `least` tries."""

    least: int
    tried: int = 0
    won: int = 0

    def earns(self, candidates: int, finalists: int) -> bool:
        """Whether the move goes on: it has to reach the final as often as chance does."""
        return self.tried < self.least or self.won * candidates >= self.tried * finalists

    def note(self, *, won: bool) -> None:
        """One more candidate."""
        self.tried += 1
        self.won += won
