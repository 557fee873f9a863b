"""Whose turn it is among waiting calls: those that share a prompt's beginning follow one another.

Engines keep what they computed last (llama.cpp a slot at a time, vLLM and hosted caches for a while). A group is calls
that begin alike.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

LONG = 8
"""Waiting calls for each one under way that make a group worth beginning in one more place."""


_NOWHERE = (False, False, False)


@dataclass(slots=True, eq=False)
class _PrefixGroup(Generic[T]):
    waiting: deque[T] = field(default_factory=deque)
    busy: int = 0
    filed: tuple[bool, bool, bool] = _NOWHERE
    """Whether it stands among the idle, the worked and the long ones."""


class PrefixQueue(Generic[T]):
    """A queue of waiting items, each in a group. Every operation takes constant time.

    What comes next when a call of a group is over: the group's own next item, whose beginning the engine has just
    computed; else the first group that nobody works on; else, so that no place stays empty, groups that are worked
    on, in turn. Without groups it is first come, first served.
    """

    def __init__(self) -> None:
        self._prefix_groups: dict[Hashable, _PrefixGroup[T]] = {}
        # Keys of groups with waiting items, by whether a call of theirs is under way; dicts keep the order of arrival.
        self._idle: dict[Hashable, None] = {}
        self._worked: dict[Hashable, None] = {}
        self._long: dict[Hashable, None] = {}  # those of the worked ones that are worth beginning once more
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def push(self, item: T, prefix_group: Hashable, *, first: bool = False) -> None:
        """Let `item` wait in `prefix_group`; `first`: before the others of its group (it goes on where the last call
        ended)."""
        found = self._prefix_groups.get(prefix_group)
        if found is None:
            found = self._prefix_groups[prefix_group] = _PrefixGroup()
        (found.waiting.appendleft if first else found.waiting.append)(item)
        self._size += 1
        self._file(prefix_group, found)

    def peek(self, after: Hashable = None, *, double: bool = True) -> T | None:
        """What `pop` would give, None where nobody waits; without `double` also where all who wait are of groups that
        are worked on elsewhere, unless so many of a group wait that beginning it once more is soon made good."""
        key = self._next(after, double)
        return None if key is None else self._prefix_groups[key].waiting[0]

    def pop(self, after: Hashable = None, *, double: bool = True) -> T:
        """The next item, when a place is free that a call of the group `after` has left; it counts as under way in
        its group until `leave`. Raises `IndexError` where `peek` gives None."""
        key = self._next(after, double)
        if key is None:
            raise IndexError("nobody waits")
        prefix_group = self._prefix_groups[key]
        item = prefix_group.waiting.popleft()
        self._size -= 1
        prefix_group.busy += 1
        # Filed anew at the end: of groups that are worked on, another one is next.
        for places in (self._idle, self._worked, self._long):
            places.pop(key, None)
        prefix_group.filed = _NOWHERE
        self._file(key, prefix_group)
        return item

    def busy(self, prefix_group: Hashable) -> bool:
        """Whether a call of `prefix_group` is under way."""
        found = self._prefix_groups.get(prefix_group)
        return found is not None and found.busy > 0

    def enter(self, prefix_group: Hashable) -> None:
        """A call of `prefix_group` is under way that never waited."""
        found = self._prefix_groups.setdefault(prefix_group, _PrefixGroup())
        found.busy += 1
        self._file(prefix_group, found)

    def leave(self, prefix_group: Hashable) -> None:
        """A call of `prefix_group` is over."""
        found = self._prefix_groups[prefix_group]
        found.busy -= 1
        self._file(prefix_group, found)

    def _file(self, key: Hashable, prefix_group: _PrefixGroup[T]) -> None:
        """Put the group where `pop` looks for it."""
        waiting, busy = len(prefix_group.waiting), prefix_group.busy
        filed = (waiting > 0 and not busy, waiting > 0 < busy, waiting > LONG * busy > 0)
        if filed != prefix_group.filed:
            prefix_group.filed = filed
            for places, stays in zip((self._idle, self._worked, self._long), filed, strict=True):
                if stays:
                    places.setdefault(key)
                else:
                    places.pop(key, None)
        if not waiting and not busy:
            del self._prefix_groups[key]

    def _next(self, after: Hashable, double: bool) -> Hashable:
        if after in self._worked or after in self._idle:
            return after
        return next(iter(self._idle or (self._worked if double else self._long)), None)
