"""An event loop whose time passes in no time: a sleep of an hour is over at once, and its length is exact.

`asyncio.Runner(loop_factory=VirtualLoop)` runs a scenario in it.
"""

from __future__ import annotations

import asyncio
from typing import Any


class VirtualLoop(asyncio.SelectorEventLoop):
    """Where others would wait for the next timer, its clock goes there. `time()` starts at 1000 s.

    Raises `RuntimeError` where nothing is left to wait for: whoever is still waiting would wait for ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self._now = 1000.0
        selector: Any = self._selector  # type: ignore[attr-defined]
        select = selector.select

        def instantly(timeout: float | None) -> Any:
            ready = select(0)
            if not ready and timeout is None:
                raise RuntimeError("nothing will ever happen any more")
            if not ready and timeout:
                self._now += timeout
            return ready

        selector.select = instantly

    def time(self) -> float:
        """Virtual seconds."""
        return self._now
