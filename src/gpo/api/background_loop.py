"""The event loop, one for the process, in which synchronous calls from Python run: in a thread of its own.

It outlives a run, so that a client that one run has used (its connections belong to the loop) serves the next one. The
caller's thread waits, and so takes Ctrl-C and an interrupted cell while calls are under way. Knows no run.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from gpo.errors import ConfigError

T = TypeVar("T")

TICK = 0.2
"""Seconds between two looks of the thread that waits."""

_starting = threading.Lock()
_current: _BackgroundLoop | None = None


class _BackgroundLoop:
    """A loop that runs until the process ends."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._serve, name="gpo", daemon=True)
        self.thread.start()
        atexit.register(self._close)

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def _close(self) -> None:
        if self.process != os.getpid():
            return  # the thread stayed behind in the process that was forked
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(1)
        if not self.loop.is_running():
            self.loop.close()


def run_in_background(
    work: Coroutine[Any, Any, T], stop: Callable[[], object], tick: Callable[[], object] = lambda: None
) -> T:
    """The result of `work`, run in the background loop while this thread waits and calls `tick` now and then.

    Where this thread is interrupted (Ctrl-C, a cell's interrupt), `stop` is called in the loop's thread, and what
    interrupted goes on from here once `work` has ended; a second interrupt cancels `work` and waits for nothing.

    Raises what `work` raises, and `ConfigError` where it is called from within the background loop.
    """
    background = _get_loop()
    if threading.current_thread() is background.thread:
        work.close()
        raise ConfigError(
            "gpo.optimize and gpo.evaluate cannot wait within an async function that GPO calls; write "
            "await gpo.aoptimize(…) or await gpo.aevaluate(…) there"
        )
    future: Future[T] | None = None
    try:
        future = asyncio.run_coroutine_threadsafe(work, background.loop)
        _wait(future, tick)
    except BaseException:
        background.loop.call_soon_threadsafe(stop)
        if future is not None:
            _wait_for_end(future, tick)
        raise
    return future.result()


def _wait(future: Future[Any], tick: Callable[[], object]) -> None:
    # Not without a limit: on Windows such a wait cannot be interrupted.
    while wait([future], timeout=TICK).not_done:
        tick()


def _wait_for_end(future: Future[Any], tick: Callable[[], object]) -> None:
    try:
        _wait(future, tick)
    except BaseException:
        future.cancel()
        raise
    if not future.cancelled():
        future.exception()  # the interrupt is what is raised


def _get_loop() -> _BackgroundLoop:
    global _current
    with _starting:
        if _current is None or _current.process != os.getpid():
            _current = _BackgroundLoop()
        return _current
