"""Ctrl-C, the system's order to end and a terminal that goes: the first one stops a run in good order, the second one
leaves at once.

The caller says what stops it.
"""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_stoppable(work: Coroutine[Any, Any, T], stop: Callable[[], None], note: Callable[[str], None]) -> T:
    """Run `work` in an event loop of its own. The first signal calls `stop` there, after which `work` should end soon;
    at the second one the process ends with code 130, whatever is under way (what is in the journal is safe)."""

    async def main() -> T:
        loop = asyncio.get_running_loop()
        came = False

        def handle(*, leave: bool) -> None:
            nonlocal came
            if came and leave:
                os._exit(130)
            if not came:
                came = True
                note("stopping: waiting a few seconds for calls in flight (once more to leave at once)")
                stop()

        if sys.platform != "win32":  # there asyncio turns Ctrl-C into a cancellation by itself
            for number in _SIGNALS:
                loop.add_signal_handler(number, functools.partial(handle, leave=True))
            # Shell and system send this one beside others, and again; under nohup it is to be ignored.
            if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
                loop.add_signal_handler(signal.SIGHUP, functools.partial(handle, leave=False))
        return await work

    return asyncio.run(main())
