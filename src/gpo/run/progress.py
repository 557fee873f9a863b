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
    """The numbers of a run while it goes on: pass one as `progress=` and read it from anywhere, or let a watcher's
    `progressed` be told. Scores are dev means in 0..1. One object is for one run."""

    phase: Phase = "starting"
    """What is being done."""
    step: int = 0
    """The step under way, from 0."""
    steps: int = 0
    """Steps at most; a plateau ends a run earlier."""
    limit: int | None = None
    """Words that may change in this step; None: any number."""
    initial_score: float | None = None
    """Dev score of the initial prompt, None until it is known."""
    best_score: float | None = None
    """The best dev score so far."""
    prompts_scored: int = 0
    """Prompts that were scored on the whole of dev, the initial one included."""
    pairs_done: int = 0
    """(prompt, example) pairs that are scored."""
    pairs_planned: int = 0
    """About how many there will be."""
    calls: int = 0
    """Calls that were sent and answered, over both models and all processes of the run."""
    cached: int = 0
    """Calls that the user's store answered."""
    replayed: int = 0
    """Calls that the journal of the interrupted run answered."""
    tokens: int = 0
    """Tokens of prompts and replies that were paid for."""
    saved_tokens: int = 0
    """Those of the calls that the user's store answered."""
    usd: float | None = 0.0
    """Dollars; None where a price is unknown."""
    retries: int = 0
    """Calls that were made again."""
    replies: int = 0
    """Replies on dev that were read so far."""
    useless: int = 0
    """Those of them that broke off or could not be read."""
    limits: Mapping[str, LimitedModel] = field(default_factory=dict)
    """What the calls of each role wait for."""
    started: float = field(default_factory=time.monotonic)
    """When it began, on the monotonic clock."""

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
