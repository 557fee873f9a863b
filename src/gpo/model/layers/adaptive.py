"""How many calls one endpoint is asked for at once, learnt from what became of the calls before.

Additive increase, multiplicative decrease, as TCP does it (Chiu and Jain, 1989). It is told of replies, and a clock is
handed in.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
CAUTION = 8
"""How many times slower the limit grows where the next step is the one that was refused last time."""


class Adaptive:
    """The limit of one endpoint, from 1 to `ceiling`, at which it starts.

    A refusal (HTTP 429) halves it, once a wave: `wave` counts the back-offs, a caller keeps the value that it read when
    its call left, and a refusal of a call that left before the last back-off changes nothing. Every `limit` answers
    raise it by one again, `CAUTION` times as many where the next step was refused last time; when that is refused
    again, an eighth is taken back. `opens_at` is the clock's time before which no call may leave, 0 where there is
    none. `lowest` and `backoffs` are for whoever reports. `first_pause` is in seconds.
    """

    def __init__(
        self, ceiling: int, *, first_pause: float = FIRST_PAUSE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.ceiling = ceiling
        self.limit = ceiling
        self.lowest = ceiling
        self.backoffs = 0
        self.wave = 0
        self.opens_at = 0.0
        self._first_pause = first_pause
        self._clock = clock
        self._wall = math.inf  # the limit that was refused last time
        self._answers = 0  # since the limit's last step
        self._held = 0  # answers that must come before growth goes on
        self._row = 0  # back-offs without an answer in between

    @property
    def seconds_closed(self) -> float:
        """Until a call may leave; 0 where one may leave now."""
        if not self.opens_at:
            return 0.0
        left = self.opens_at - self._clock()
        if left <= 0:
            self.opens_at = 0.0
        return max(0.0, left)

    def answered(self, wave: int) -> None:
        """A call that left in `wave` was answered."""
        self._row = 0
        # An answer to a call that left before the last back-off tells nothing about the limit that came after.
        if wave != self.wave:
            return
        if self._held:
            self._held -= 1
            return
        if self.limit >= self.ceiling:
            return
        self._answers += 1
        if self._answers >= self.limit * (CAUTION if self.limit + 1 == self._wall else 1):
            self._answers = 0
            self.limit += 1

    def refused(self, wave: int, retry_after: float | None = None) -> bool:
        """A call that left in `wave` met a rate limit, whose server asks for `retry_after` seconds. True where that is
        because too much was asked at once, and so says nothing about the call: there was room to give way."""
        self._close(retry_after or 0.0)
        if wave != self.wave:
            return True
        crowded = self.limit > 1
        self.wave += 1
        self.backoffs += 1
        # Where the step before held for long, one that was too far is taken back a little and not by half.
        kept = self.limit * 7 // 8 if self.limit == self._wall else self.limit // 2
        self._wall, self.limit = self.limit, max(1, kept)
        self.lowest = min(self.lowest, self.limit)
        self._answers = 0
        self._row += 1
        if self._row > 1 and not retry_after:
            # Giving way did not help: what is short is time, not places.
            self._close(min(LONGEST_PAUSE, self._first_pause * 2 ** min(self._row - 2, 30)))
        return crowded

    def troubled(self, retry_after: float | None = None) -> None:
        """A call failed for another reason that may pass (a 5xx, a timeout, a lost connection)."""
        self._close(retry_after or 0.0)
        self._held = self.limit

    def _close(self, seconds: float) -> None:
        if seconds > 0:
            self.opens_at = max(self.opens_at, self._clock() + seconds)
