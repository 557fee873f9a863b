"""Threads for functions that wait: one for each call under way, and none that keeps the process from ending."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LONG = 200_000
"""Characters or bytes from which a reply is read in another thread, so that the other calls go on meanwhile."""


class DaemonThreads(Executor):
    """At most `most` daemon threads, started as they are needed.

    The threads of Python's own pool are waited for when the process ends, however long their functions take: then
    Ctrl-C would end a run, and not the process.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most, self._name = most, name
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._started = 0
        self._starting = threading.Lock()

    def submit(self, function: Callable[..., Any], /, *args: Any, **keywords: Any) -> Future[Any]:
        """Call `function` in a thread as soon as one is free."""
        future: Future[Any] = Future()
        self._jobs.put((future, partial(function, *args, **keywords)))
        with self._starting:
            if not self._idle.acquire(blocking=False) and self._started < self._most:
                self._started += 1
                name = f"{self._name}-{self._started}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
        return future

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = True) -> None:
        """Let the threads go. What has not begun is cancelled, and what runs is not waited for."""
        while True:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
            if job:
                job[0].cancel()
        for _ in range(self._started):
            self._jobs.put(None)

    def _work(self) -> None:
        while job := self._jobs.get():
            future, function = job
            if future.set_running_or_notify_cancel():
                try:
                    result = function()
                except BaseException as error:
                    future.set_exception(error)
                else:
                    future.set_result(result)
            del job, future, function  # an idle thread holds nothing
            self._idle.release()


_apart: dict[
    str, tuple[int, DaemonThreads]
] = {}  # with the process that they belong to: a fork has no threads


def threads_apart(name: str, most: int = 1) -> DaemonThreads:
    """At most `most` threads of this process for what `name` says. Python's own pool may be full of a program's
    functions that wait for a reply: what a reply needs must not wait there behind them."""
    found = _apart.get(name)
    if found is None or found[0] != os.getpid():
        found = _apart[name] = os.getpid(), DaemonThreads(most, f"gpo-{name}")
    return found[1]


async def read_apart(function: Callable[P, T], *args: P.args, **keywords: P.kwargs) -> T:
    """Call `function`, which reads or packs a long reply, in a thread beside the loop's.

    There is one for all of them: they compute in Python, where several at a time are no faster, and would take the
    interpreter from each other while the loop waits for its turn.
    """
    job = partial(function, *args, **keywords)
    return await asyncio.get_running_loop().run_in_executor(threads_apart("reader"), job)
