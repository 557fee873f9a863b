"""How long a program of the proof may go on: nothing new is begun after that, and the same command goes on later."""

from __future__ import annotations

import time
from argparse import ArgumentParser

from gpo.errors import GPOError


class TimeIsUp(GPOError):
    """The minutes are over; what was measured is kept."""

    exit_code = 3


class Deadline:
    """`minutes` from now; None never ends."""

    def __init__(self, minutes: float | None = None) -> None:
        self.minutes = minutes
        self._end = None if minutes is None else time.monotonic() + 60 * minutes

    @property
    def passed(self) -> bool:
        """Whether they are over."""
        return self._end is not None and time.monotonic() >= self._end

    def check(self) -> None:
        """Raises `TimeIsUp` once they are over."""
        if self.passed:
            raise TimeIsUp(f"--minutes {self.minutes:g}: over; the same command goes on from here")


def add_minutes(parser: ArgumentParser) -> None:
    """The option."""
    parser.add_argument("--minutes", type=float, help="begin nothing new after so long; start again to go on")
