"""Which slot of an engine holds the beginning of which group: the next call of a group goes where its last one was.

Slots and groups are numbers. Safe to use from several threads.
"""

from __future__ import annotations

import threading


class Slots:
    """`count` slots. The engine would look for the slot that fits best by itself, but where two become free at once it
    may give the slot of one group to a call of another that came a moment earlier."""

    def __init__(self, count: int) -> None:
        self._free: dict[int, None] = dict.fromkeys(range(count))  # the one that was left longest ago first
        self._lane_of: dict[int, str] = {}
        self._slot_of: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(self, prefix_group: str) -> int | None:
        """The slot for a call of `prefix_group` ("": of none), until it is given back; None where all are taken."""
        with self._lock:
            slot = self._slot_of.get(prefix_group)
            if slot is None or slot not in self._free:
                slot = next(iter(self._free), None)
            if slot is None:
                return None
            del self._free[slot]
            self._hold(slot, prefix_group)
            return slot

    def give(self, slot: int) -> None:
        """The call in `slot` is over; what it computed stays there."""
        with self._lock:
            self._free[slot] = None

    def _hold(self, slot: int, prefix_group: str) -> None:
        before = self._lane_of.pop(slot, "")
        if self._slot_of.get(before) == slot:
            del self._slot_of[before]
        if prefix_group:
            self._lane_of[slot] = prefix_group
            self._slot_of[prefix_group] = slot
