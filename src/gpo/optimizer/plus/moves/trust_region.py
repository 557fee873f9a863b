"""A trust region for the edit limit: it grows after steps that got better and shrinks after others.

    limit ← 1.5 limit after a gain, 0.6 limit after none, within [final, 2 · initial]

An ablation against the paper's cosine (Conn, Gould & Toint 2000, Trust Region Methods, ch. 6, for the rule). One object
serves one run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

GROW, SHRINK = 1.5, 0.6


@dataclass(slots=True)
class TrustRegion:
    """The limit in words, from `initial`, never under `final`."""

    initial: int = 50
    final: int = 10
    _radius: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._radius = float(self.initial)

    def limit(self, step: int, total: int) -> int:
        """The limit in whole words, whatever the step's number."""
        return int(self._radius)

    def note(self, *, better: bool) -> None:
        """A step is over."""
        wanted = self._radius * (GROW if better else SHRINK)
        self._radius = min(2.0 * self.initial, max(float(self.final), wanted))
