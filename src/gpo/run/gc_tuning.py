"""Python's garbage collector during a run: seldom, and not over what was there before.

A run makes many small objects a call and hardly a cycle; with the default thresholds the search for cycles takes an
eighth of the processor time of a call.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SELDOM = (20_000, 20, 20)
_lock = threading.Lock()
_users = 0
_before: tuple[int, int, int] = (0, 0, 0)


@contextmanager
def collect_seldom() -> Iterator[None]:
    """Collect seldom within the block, as before after it. Blocks may overlap, in several threads too: the last one to
    end restores."""
    global _users, _before
    with _lock:
        if _users == 0:
            _before = gc.get_threshold()
            gc.freeze()
            gc.set_threshold(*_SELDOM)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                gc.set_threshold(*_before)
                gc.unfreeze()
