"""Who leaves next: one gate in front of an endpoint, one line of waiting calls for each role.

How many may be under way is `gpo.model.layers.adaptive`'s to say, how often `gpo.model.layers.rates`'.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from heapq import heappop, heappush

from gpo.model.layers.adaptive import FIRST_PAUSE, Adaptive
from gpo.model.layers.prefix_queue import PrefixQueue
from gpo.model.layers.rates import Rates


class EndpointLimiter:
    """The places of one endpoint, `concurrency` of them, and fewer where it `adapts` to refusals (see `Adaptive`).

    Whoever came first goes first, over all lines, but for a line that has its own reason to wait. For one event loop
    at a time. `clock` is in seconds and goes as fast as the loop's.
    """

    def __init__(
        self,
        concurrency: int,
        *,
        adapts: bool = False,
        first_pause: float = FIRST_PAUSE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.adapts = adapts
        self.limits = Adaptive(concurrency, first_pause=first_pause, clock=clock)
        self.in_flight = 0
        self.clock = clock
        self.lines: list[RoleQueue] = []
        self._arrivals = 0
        self._alarm: tuple[asyncio.AbstractEventLoop, asyncio.TimerHandle] | None = None

    def arrival(self) -> int:
        """The number of a call that begins to wait."""
        self._arrivals += 1
        return self._arrivals

    def has_place(self) -> bool:
        """Whether a call may leave now, as far as the endpoint goes."""
        limits = self.limits
        return self.in_flight < limits.limit and not (limits.opens_at and limits.seconds_closed)

    def admit(self) -> None:
        """Give what is free to those whose turn it is, and come back when time alone makes the others wait."""
        lines = self.lines
        if self.limits.opens_at and (wait := self.limits.seconds_closed):
            # Calls that were refused wait outside of the lines, so that an empty line is held up too.
            for line in lines:
                line.hold("refused")
            self._ring_in(wait)
            return
        if self.in_flight >= self.limits.limit:
            for line in lines:
                line.hold("")
            return
        ready = [line for line in lines if line.may_go()]
        while ready and self.in_flight < self.limits.limit:
            line = ready[0] if len(ready) == 1 else min(ready, key=RoleQueue.rank)
            # Asked again each time: lines may share rates, and another one has just taken what there was.
            if line.may_go():
                line.let_go()
            else:
                ready.remove(line)
        if waits := [line.wait for line in lines if line.wait]:
            self._ring_in(min(waits))

    def _ring_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._alarm is not None:
            known, handle = self._alarm
            # One of a loop that is over never rings.
            if known is loop and not handle.cancelled() and handle.when() <= loop.time() + seconds:
                return
            handle.cancel()
        self._alarm = (loop, loop.call_later(seconds, self._ring))

    def _ring(self) -> None:
        self._alarm = None
        self.admit()


@dataclass(slots=True, eq=False)
class _Turn:
    """One call that waits; `given` gets the tokens that it is taken to use."""

    prefix_group: str
    arrival: int
    size: int
    given: asyncio.Future[float]


class RoleQueue:
    """The calls of one role in front of `limiter`: at most `concurrency` of them under way, and no more often than
    `rates` allow. Of those that wait, calls of a group follow one another (see `PrefixQueue`). `wait` is how many
    seconds time alone holds up the first in line, `held` what holds it up although there is a place ("refused", a
    key of the rate limits, or ""). From `double_below` calls under way on (None: never) a group that is worked on is
    not begun in another place too, unless it is long: each slot of llama.cpp has a cache of its own, and computes
    anew what another one holds."""

    def __init__(
        self,
        limiter: EndpointLimiter,
        concurrency: int,
        rates: Rates | None = None,
        *,
        double_below: int | None = None,
    ) -> None:
        self.concurrency = concurrency
        self._double_below = concurrency if double_below is None else double_below
        self.in_flight = 0
        self.wait = 0.0
        self.held = ""
        self.limiter = limiter
        self.rates = rates
        self._fresh: PrefixQueue[_Turn] = PrefixQueue()
        self._left: str | None = None  # the group whose call left its place last
        self._again: list[tuple[int, int, _Turn]] = []  # a heap
        self._held_since = 0.0
        self._waited = 0.0
        limiter.lines.append(self)

    @property
    def waiting(self) -> int:
        """Calls that wait for their turn."""
        return len(self._fresh) + len(self._again)

    @property
    def waited(self) -> float:
        """Seconds of wall time in which calls were held up although there was a place."""
        return self._waited + (self.limiter.clock() - self._held_since if self.held else 0.0)

    async def enter(
        self, size: int, number: int | None = None, *, prefix_group: str = "", continues: bool = False
    ) -> float:
        """Return when it is this call's turn; whoever entered must `leave` its `prefix_group`. `size` is for
        `rates`, whose estimate comes back. Calls with a `number` go first, the lowest before the others; those that
        go on where their group's last call ended (`continues`) are first in it."""
        if (
            not self._fresh
            and not self._again
            and self.in_flight < self.concurrency
            and (self._doubles or not self._fresh.busy(prefix_group))
            and self.limiter.has_place()
            # Those who wait in other lines while there is a place wait for something else.
            and (self.rates is None or not self.rates.delay(size)[0])
        ):
            return self._take(size, prefix_group)
        turn = _Turn(prefix_group, self.limiter.arrival(), size, asyncio.get_running_loop().create_future())
        if number is None:
            self._fresh.push(turn, _key(turn), first=continues)
        else:
            heappush(self._again, (number, turn.arrival, turn))
        if self._first() is turn or not self._doubles:
            # Nobody else's end may bring its turn: the first in line may wait for the clock alone, and the first of a
            # group for so many to come after it that the group is begun once more.
            self.limiter.admit()
        try:
            return await turn.given
        except asyncio.CancelledError:
            # A turn that was given and not taken goes to the next in line.
            if not turn.given.cancelled():
                self.leave(prefix_group)
            raise

    def leave(self, prefix_group: str = "") -> None:
        """A call is over, one way or the other."""
        if prefix_group:
            self._fresh.leave(prefix_group)
            self._left = prefix_group
        self.in_flight -= 1
        self.limiter.in_flight -= 1
        self.limiter.admit()

    def may_go(self) -> bool:
        """Whether the first in line may leave, as far as this line goes."""
        self.wait = 0.0
        turn = self._first()
        if turn is None or self.in_flight >= self.concurrency:
            self.hold("")
            return False
        key = ""
        if self.rates is not None:
            self.wait, key = self.rates.delay(turn.size)
        self.hold(key)
        return not self.wait

    def rank(self) -> tuple[bool, int]:
        """Sorts lines by who is first in them: one that had a turn before, then by arrival."""
        turn = self._first()
        return (not self._again, turn.arrival if turn else 0)

    def let_go(self) -> None:
        """The first in line leaves."""
        if self._again:
            turn = heappop(self._again)[-1]
            group = turn.prefix_group
        else:
            turn = self._fresh.pop(self._left, double=self._doubles)
            group = ""  # `pop` has counted it in its group
            if not turn.prefix_group:
                self._fresh.leave(turn)  # it was alone in a group of its own
        self._left = None
        turn.given.set_result(self._take(turn.size, group))

    def hold(self, cause: str) -> None:
        """Note what makes this line wait although there is a place ("": nothing does)."""
        if cause == self.held:
            return
        now = self.limiter.clock()
        if self.held:
            self._waited += now - self._held_since
        self.held, self._held_since = cause, now

    def _first(self) -> _Turn | None:
        while self._again and self._again[0][-1].given.done():
            heappop(self._again)
        if self._again:
            return self._again[0][-1]
        double = self._doubles
        while (turn := self._fresh.peek(self._left, double=double)) is not None and turn.given.done():
            self._fresh.leave(_key(self._fresh.pop(self._left, double=double)))
        return turn

    @property
    def _doubles(self) -> bool:
        """Whether a place may be given to a second call of a group."""
        return self.in_flight < self._double_below

    def _take(self, size: int, prefix_group: str) -> float:
        if prefix_group:
            self._fresh.enter(prefix_group)
        self.in_flight += 1
        self.limiter.in_flight += 1
        return self.rates.take(size) if self.rates is not None else 0.0


def _key(turn: _Turn) -> Hashable:
    return turn.prefix_group or turn
