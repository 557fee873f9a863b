"""A thread that sends one thing after the other, so that a slow or dead server holds up nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue


class Sender:
    """Runs jobs in the order in which they were put, in a daemon thread. The first error is kept for `take_error`; the
    jobs after it are tried all the same."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def put(self, job: Callable[[], object]) -> None:
        """Run `job` after those that were put before."""
        self._jobs.put(job)

    def finish(self, seconds: float) -> bool:
        """Wait for all jobs; False where they take longer than that. Nothing can be put afterwards."""
        self._jobs.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def take_error(self) -> Exception | None:
        """The first error since the last call."""
        error, self._error = self._error, None
        return error

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:
                self._error = self._error or error
