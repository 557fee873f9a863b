"""How far a run is, for whoever displays it: plain numbers, updated by the run and read at any time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from gpo.model.layers.limits import LimitedModel

Phase = Literal[
    "starting", "scoring the initial prompt", "optimizing", "scoring the held-out test set", "done"
]


@dataclass(slots=True)
class Progress:
    """`pairs_done` of about `pairs_planned` (prompt, example) pairs are scored; `replayed` calls came from the journal
    of an interrupted run, `saved_tokens` are those of calls that the user's store answered. Scores are dev means in
    0..1; `usd` is None where a price is unknown. `limits` has the calls' limit by role."""

    phase: Phase = "starting"
    step: int = 0
    steps: int = 0
    limit: int | None = None
    initial_score: float | None = None
    best_score: float | None = None
    pairs_done: int = 0
    pairs_planned: int = 0
    calls: int = 0
    cached: int = 0
    replayed: int = 0
    tokens: int = 0
    saved_tokens: int = 0
    usd: float | None = 0.0
    in_flight: int = 0
    retries: int = 0
    limits: Mapping[str, LimitedModel] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Wall time of this process on the run."""
        return time.monotonic() - self.started

    @property
    def seconds_left(self) -> float | None:
        """Wall time until the end at the pace so far, an upper bound where steps are skipped; None before there is a
        pace."""
        if self.phase == "done":
            return 0.0
        if self.pairs_done < 10 or not self.pairs_planned:
            return None
        return self.seconds / self.pairs_done * max(0, self.pairs_planned - self.pairs_done)
