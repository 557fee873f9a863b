"""What `progress=` of a Python function means: a bar that fits where it is shown, or numbers alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol, Self

from gpo.errors import ConfigError
from gpo.run.progress import Progress

EVERY = 0.2
"""Seconds between two looks at the numbers."""


class Display(Protocol):
    """Shows `progress` while it is entered; a watcher too, if it has the methods of one."""

    progress: Progress

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: Any) -> None: ...
    def tick(self) -> None:
        """Look at the numbers again. Called in the thread that waits for the run."""


class NoDisplay:
    """Shows nothing; the numbers are there all the same."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        return

    def tick(self) -> None:
        """Nothing."""


def open_display(wanted: bool | Progress | None) -> Display:
    """What shows a run for `progress=wanted`. Raises `ConfigError` for a value of another type."""
    if isinstance(wanted, Progress):
        return NoDisplay(wanted)
    if not isinstance(wanted, bool | None):
        raise ConfigError(f"progress: must be True, False or a gpo.Progress, not {type(wanted).__name__}")
    if not wanted:
        return NoDisplay(Progress())
    from gpo.report.progress import notebook

    if notebook.is_notebook():
        return notebook.NotebookProgress(Progress())
    from gpo.report.progress.terminal import ProgressDisplay

    return ProgressDisplay(Progress())


@asynccontextmanager
async def ticking(display: Display) -> AsyncIterator[None]:
    """Have `display` look at the numbers now and then, in the running loop."""

    async def tick() -> None:
        while True:
            await asyncio.sleep(EVERY)
            display.tick()

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
