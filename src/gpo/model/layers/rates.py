"""Requests and tokens a minute, as providers count them: token buckets that are filled evenly.

Whoever sends asks how long to wait; a clock is handed in.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from gpo.model.model import Request, Usage

BURST_SECONDS = 1.0
"""What a bucket holds: the share of a minute's allowance that may leave at once after a pause."""
_WEIGHT = 0.05
_SLACK = 1e-6  # sums of floats


class Bucket:
    """At most `per_minute` (a request, a token) in any 60 s, and one more where both ends of the minute count.

    It starts full. An amount over `capacity` leaves when the bucket is full and puts it into debt.
    """

    def __init__(self, per_minute: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.capacity = max(1.0, per_minute * BURST_SECONDS / 60)
        # What a full bucket gives away at once is not filled in again within the same minute.
        self._per_second = (per_minute + 1 - self.capacity) / 60
        self._clock = clock
        self._level = self.capacity
        self._filled_at = clock()

    def delay(self, amount: float) -> float:
        """Seconds until `amount` may leave."""
        missing = min(amount, self.capacity) - self._fill()
        return missing / self._per_second if missing > _SLACK else 0.0

    def take(self, amount: float) -> None:
        """`amount` leaves now. A negative one comes back; more than `capacity` is not kept."""
        self._level = min(self.capacity, self._fill() - amount)

    def _fill(self) -> float:
        now = self._clock()
        self._level = min(self.capacity, self._level + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        return self._level


class Rates:
    """The rate limits of one model at one endpoint; None is no limit.

    Tokens are estimated before a call leaves and put right by its usage. The estimate is the call's `size`, one token
    for each character of the prompt and all that the reply may have, times the share of it that earlier calls used.
    """

    def __init__(
        self,
        *,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests = Bucket(requests_per_minute, clock=clock) if requests_per_minute else None
        self._tokens = Bucket(tokens_per_minute, clock=clock) if tokens_per_minute else None
        self._most = tokens_per_minute or 0.0
        self._share: float | None = None

    def size(self, request: Request) -> int:
        """What `request` may use at most, roughly; 0 where no token is counted."""
        if self._tokens is None:
            return 0
        prompt = len(request.prompt) if request.prompt is not None else 0
        return prompt + sum(len(turn.content) for turn in request.messages) + request.n * request.max_tokens

    def delay(self, size: int) -> tuple[float, str]:
        """Seconds until a call of `size` may leave, and the key of the limit that it waits for ("" where none)."""
        requests = self._requests.delay(1.0) if self._requests else 0.0
        tokens = self._tokens.delay(self._estimate(size)) if self._tokens else 0.0
        if not requests and not tokens:
            return 0.0, ""
        return (requests, "requests_per_minute") if requests >= tokens else (tokens, "tokens_per_minute")

    def take(self, size: int) -> float:
        """A call of `size` leaves. Returns the tokens that it is taken to use, for `settle`."""
        if self._requests:
            self._requests.take(1.0)
        if not self._tokens:
            return 0.0
        estimate = self._estimate(size)
        self._tokens.take(estimate)
        return estimate

    def settle(self, size: int, estimate: float, usage: Usage) -> None:
        """It was answered. Without usage the estimate stands."""
        # More than a minute allows would not have been answered: a figure like that must not hold the run up for hours.
        used = min(usage.prompt_tokens + usage.completion_tokens, self._most)
        if self._tokens is None or not used:
            return
        self._tokens.take(used - estimate)
        share = used / max(1, size)
        self._share = share if self._share is None else self._share + _WEIGHT * (share - self._share)

    def refuse(self, estimate: float) -> None:
        """It was refused and used no token; as a request providers count it all the same."""
        if self._tokens is not None:
            self._tokens.take(-estimate)

    def _estimate(self, size: int) -> float:
        return size if self._share is None else self._share * size
