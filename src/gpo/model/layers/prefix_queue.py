"""Whose turn it is among waiting calls: those that share a prompt's beginning follow one another.

Engines keep what they computed last (llama.cpp a slot at a time, vLLM and hosted caches for a while). Knows
lanes, calls that begin alike; it knows neither requests nor how many places there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

LONG = 8
"""Waiting calls for each one under way that make a lane worth beginning in one more place."""


@dataclass(slots=True, eq=False)
class _Lane(Generic[T]):
    waiting: deque[T] = field(default_factory=deque)
    busy: int = 0


class Turns(Generic[T]):
    """A queue of waiting items, each in a lane. Every operation takes constant time.

    What comes next when a call of a lane is over: the lane's own next item, whose beginning the engine has just
    computed; else the first lane that nobody works on; else, so that no place stays empty, lanes that are worked on, in
    turn. Without lanes it is first come, first served.
    """

    def __init__(self) -> None:
        self._lanes: dict[Hashable, _Lane[T]] = {}
        # Keys of lanes with waiting items, by whether a call of theirs is under way; dicts keep the order of arrival.
        self._idle: dict[Hashable, None] = {}
        self._worked: dict[Hashable, None] = {}
        self._long: dict[Hashable, None] = {}  # those of the worked ones that are worth beginning once more
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def push(self, item: T, lane: Hashable, *, first: bool = False) -> None:
        """Let `item` wait in `lane`; `first`: before the others of its lane (it goes on where the last call ended)."""
        found = self._lanes.get(lane)
        if found is None:
            found = self._lanes[lane] = _Lane()
        (found.waiting.appendleft if first else found.waiting.append)(item)
        self._size += 1
        self._file(lane, found)

    def peek(self, after: Hashable = None, *, double: bool = True) -> T | None:
        """What `pop` would give, None where nobody waits; without `double` also where all who wait are of lanes that
        are worked on elsewhere, unless so many of a lane wait that beginning it once more is soon made good."""
        key = self._next(after, double)
        return None if key is None else self._lanes[key].waiting[0]

    def pop(self, after: Hashable = None, *, double: bool = True) -> T:
        """The next item, when a place is free that a call of the lane `after` has left; it counts as under way in
        its lane until `leave`. Raises `IndexError` where `peek` gives None."""
        key = self._next(after, double)
        if key is None:
            raise IndexError("nobody waits")
        lane = self._lanes[key]
        item = lane.waiting.popleft()
        self._size -= 1
        lane.busy += 1
        # Filed anew at the end: of lanes that are worked on, another one is next.
        for places in (self._idle, self._worked, self._long):
            places.pop(key, None)
        self._file(key, lane)
        return item

    def busy(self, lane: Hashable) -> bool:
        """Whether a call of `lane` is under way."""
        found = self._lanes.get(lane)
        return found is not None and found.busy > 0

    def enter(self, lane: Hashable) -> None:
        """A call of `lane` is under way that never waited."""
        found = self._lanes.setdefault(lane, _Lane())
        found.busy += 1
        self._file(lane, found)

    def leave(self, lane: Hashable) -> None:
        """A call of `lane` is over."""
        found = self._lanes[lane]
        found.busy -= 1
        self._file(lane, found)

    def _file(self, key: Hashable, lane: _Lane[T]) -> None:
        """Put the lane where `pop` looks for it."""
        waiting = len(lane.waiting)
        _keep(self._idle, key, waiting > 0 and not lane.busy)
        _keep(self._worked, key, waiting > 0 and lane.busy > 0)
        _keep(self._long, key, lane.busy > 0 and waiting > LONG * lane.busy)
        if not waiting and not lane.busy:
            del self._lanes[key]

    def _next(self, after: Hashable, double: bool) -> Hashable:
        if after in self._worked or after in self._idle:
            return after
        return next(iter(self._idle or (self._worked if double else self._long)), None)


def _keep(places: dict[Hashable, None], key: Hashable, stays: bool) -> None:
    if stays:
        places.setdefault(key)
    else:
        places.pop(key, None)
