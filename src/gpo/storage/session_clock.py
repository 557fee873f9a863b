"""Measures time within one process and over all processes of a run."""

from __future__ import annotations

import time

LATEST = 1e11
"""Seconds since 1970 from which on a time of a journal cannot be."""

_LONGEST_SESSION = 1e9  # seconds


class SessionClock:
    """Begins at the wall clock's time, or at `earliest` where that is later, and goes on with the monotonic clock.

    So a wall clock that somebody sets makes no time pass and none come back: not within a process, and not between two
    of them, the second of which never begins before the first one ended. One that is set to a time that cannot be
    makes no journal that nobody can read.
    """

    def __init__(self, earliest: float = 0.0) -> None:
        begun = min(max(time.time(), 0.0), LATEST - _LONGEST_SESSION)
        self._offset = max(begun, earliest) - time.monotonic()

    def now(self) -> float:
        """Seconds since 1970."""
        return self._offset + time.monotonic()
