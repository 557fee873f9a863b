"""Which slot of an engine holds the beginning of which lane: the next call of a lane goes where its last one was.

Knows numbers and lanes; it knows neither calls nor the engine. Safe to use from several threads.
"""

from __future__ import annotations

import threading


class Slots:
    """`count` slots. The engine would look for the slot that fits best by itself, but where two become free at once it
    may give the slot of one lane to a call of another that came a moment earlier."""

    def __init__(self, count: int) -> None:
        self._free: dict[int, None] = dict.fromkeys(range(count))  # the one that was left longest ago first
        self._lane_of: dict[int, str] = {}
        self._slot_of: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(self, lane: str) -> int | None:
        """The slot for a call of `lane` ("": of none), until it is given back; None where all are taken."""
        with self._lock:
            slot = self._slot_of.get(lane)
            if slot is None or slot not in self._free:
                slot = next(iter(self._free), None)
            if slot is None:
                return None
            del self._free[slot]
            self._hold(slot, lane)
            return slot

    def give(self, slot: int) -> None:
        """The call in `slot` is over; what it computed stays there."""
        with self._lock:
            self._free[slot] = None

    def _hold(self, slot: int, lane: str) -> None:
        before = self._lane_of.pop(slot, "")
        if self._slot_of.get(before) == slot:
            del self._slot_of[before]
        if lane:
            self._lane_of[slot] = lane
            self._slot_of[lane] = slot
