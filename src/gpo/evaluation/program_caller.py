"""Calls a program: async ones in the running loop, all others in threads that wait for nobody."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import traceback
import weakref
from functools import partial
from typing import Any

from gpo.errors import FOREIGN, GPOError
from gpo.model.openai.errors import clean, redact
from gpo.model.threads import DaemonThreads
from gpo.task.program.program import Program

FAILURES = (*FOREIGN, asyncio.CancelledError)
"""What a program may end with: `explain` tells its own failures from what is none."""


class ProgramCaller:
    """Calls `program`, as often at once as it allows."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._pool: DaemonThreads | None = None
        self._places: tuple[asyncio.AbstractEventLoop, asyncio.Semaphore] | None = None

    def place(self) -> asyncio.Semaphore:
        """To be held while it is called."""
        loop = asyncio.get_running_loop()
        if self._places is None or self._places[0] is not loop:
            self._places = loop, asyncio.Semaphore(self._program.at_once)
        return self._places[1]

    async def call(self, *arguments: Any) -> Any:
        """What the program returns. Raises what it raises."""
        run = self._program.run
        if self._program.is_async:
            return await run(*arguments)
        if self._pool is None:
            self._pool = DaemonThreads(self._program.at_once, "gpo-program")
            weakref.finalize(self, self._pool.shutdown)
        work = partial(contextvars.copy_context().run, run, *arguments)
        returned = await asyncio.get_running_loop().run_in_executor(self._pool, work)
        return await returned if inspect.isawaitable(returned) else returned

    def explain(self, error: BaseException) -> str:
        """A failure of the program itself in one line, with its place. Raises `error` where it is another's: the run is
        being cancelled, or GPO says what is wrong."""
        if isinstance(error, asyncio.CancelledError):
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise error
        if isinstance(error, GPOError):
            raise error
        frames = traceback.extract_tb(error.__traceback__)
        place = f", {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
        said = clean(redact(str(error)))
        return f"raised {type(error).__name__}{f': {said}' if said else ''}{place}"
