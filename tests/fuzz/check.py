"""One input through one target under a limit of processor time: what came of it."""

from __future__ import annotations

import contextlib
import io
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests.fuzz.targets.target import Target

SECONDS = 3.0
"""Processor time that an input may take, instrumented or not."""


class Hang(BaseException):
    """The limit is over. No `Exception`: nothing between here and there may take it for its own."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What went wrong. `place` names the innermost line of the package, so that one fault is found once."""

    place: str
    story: str


def check(target: Target, data: bytes) -> Finding | None:
    """Run `target` on `data`; None where all is well."""
    try:
        with _limit(SECONDS), contextlib.redirect_stderr(io.StringIO()):
            target.run(data)
    except (Exception, Hang) as error:
        return Finding(_place(error), "".join(traceback.format_exception(error)))
    return None


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    # Virtual time: a busy machine makes nothing hang.
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Hang


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "gpo" in Path(frame.filename).parts] or list(frames)
    last = ours[-1]
    # A hang is somewhere in what is slow: the function that the target called tells one from another.
    last = ours[0] if isinstance(error, Hang) else last
    return f"{type(error).__name__} in {Path(last.filename).stem}.{last.name}"
