"""Measures time within one process and over all processes of a run."""

from __future__ import annotations

import time


class SessionClock:
    """Begins at the wall clock's time, or at `earliest` where that is later, and goes on with the monotonic clock.

    So a wall clock that somebody sets makes no time pass and none come back: not within a process, and not between two
    of them, the second of which never begins before the first one ended.
    """

    def __init__(self, earliest: float = 0.0) -> None:
        self._offset = max(time.time(), earliest) - time.monotonic()

    def now(self) -> float:
        """Seconds since 1970."""
        return self._offset + time.monotonic()
