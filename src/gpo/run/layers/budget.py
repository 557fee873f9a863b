"""Caps on calls, tokens, dollars and seconds, over both models and all processes of a run.

Where anything is capped, every attempt reserves the most that it may cost before it leaves. It is settled with the
server's own counts, so no cap is exceeded by what is in flight. Ends a run through its `Shutdown`.

What counts: an attempt that was answered counts with the server's usage. One that the server refused (HTTP 4xx, 503)
or that never left this machine is free: no provider charges for it. Any other failure (a timeout, a lost connection,
another 5xx, an answer that is no completion or that a filter withheld) may have been charged, and counts with all that
was reserved; so does an answer without usage. Answers from the journal or a store never get here and cost nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from gpo.config.schema import BudgetConfig
from gpo.errors import BudgetError, ConfigError, RunError
from gpo.model.model import Request, Usage
from gpo.model.prices import Cost, missing_table
from gpo.model.tally import Tally
from gpo.run.layers.amount import Amount, prompt_bound
from gpo.run.layers.shutdown import Shutdown
from gpo.run.layers.unrecorded import UNRECORDED, Unrecorded
from gpo.storage.journal import Journal
from gpo.storage.journal_schema import JOURNAL
from gpo.storage.sqlite.database import translate_row_errors

GO_ON = "raise the cap and run the same command again to go on"
SAVED = f"the best prompt so far is saved; {GO_ON}"

_META, _LOST = "budget", "lost_attempts"
_TOLERANCE = 1e-9  # of dollars: sums of floats


_NOTHING = Amount()


def check_prices(config: BudgetConfig, costs: Mapping[str, Cost]) -> None:
    """Raise `ConfigError` where dollars are capped and a role's price is unknown."""
    if config.max_usd is None:
        return
    for role, cost in costs.items():
        if cost(Usage(prompt_tokens=1, completion_tokens=1)) is None:
            raise ConfigError(
                f"budget.max_usd: the price of models.{role} is not known, so dollars cannot be capped; give "
                f"models.{role}.price (input and output, dollars for a million tokens) or cap calls or tokens"
                f"{missing_table()}"
            )


class Budget:
    """What a run may still spend. `costs` gives dollars for token counts by role.

    Starts from what the journal says was spent by earlier processes, together with what they had in flight when they
    were killed. `kept` says in the line about a cap what is not lost.
    """

    def __init__(
        self,
        config: BudgetConfig,
        costs: Mapping[str, Cost],
        journal: Journal,
        shutdown: Shutdown | None = None,
        *,
        kept: str = SAVED,
    ) -> None:
        check_prices(config, costs)
        self.shutdown = shutdown or Shutdown()
        self._config = config
        self._costs = costs
        self._journal = journal
        self._kept = kept
        self._flying = Amount()
        with translate_row_errors(journal.path, JOURNAL):
            self._unsettled = _read_spent(journal.get_meta(_META))
            self._lost = Counter({str(k): int(v) for k, v in (journal.get_meta(_LOST) or {}).items()})
            self.unrecorded = Unrecorded(journal.get_meta(UNRECORDED) or ())
        journal.last_words = self._last_words
        self._spent = self._unsettled
        for role, usage in self.unrecorded.earlier:
            self._spent += self._used(role, 1, usage)
        for role, tally in journal.totals().items():
            self._spent += self._used(role, tally.calls, tally)
        self._before = journal.seconds()
        self._started = time.monotonic()
        self._waiting: list[asyncio.Future[None]] = []
        self._watched = any(cap is not None for cap in (config.max_calls, config.max_tokens, config.max_usd))

    @property
    def spent(self) -> Amount:
        """Settled so far, over all processes, lost attempts included."""
        return self._spent

    @property
    def lost_attempts(self) -> dict[str, int]:
        """Attempts by role, over all processes, that may have been charged and brought no answer; their number and
        the most that they may have cost are in `spent` and in no role's usage. Roles without any are left out; so is
        what was in flight when a process was killed: that is in `spent` alone."""
        return {role: count for role, count in sorted(self._lost.items()) if count}

    @property
    def seconds(self) -> float:
        """Wall time so far, over all processes: this one's as well, which the journal learns at its end only."""
        return self._before + time.monotonic() - self._started

    @property
    def seconds_left(self) -> float | None:
        """Until `max_seconds`, None where there is no such cap."""
        cap = self._config.max_seconds
        return None if cap is None else cap - self.seconds

    @property
    def out_of_time(self) -> BudgetError:
        """What a run ends with when no second is left."""
        return BudgetError(self._line(f"max_seconds ({self._config.max_seconds} s) is reached"))

    async def reserve(self, role: str, request: Request) -> Amount:
        """Set aside the most that one attempt may cost, waiting where calls in flight may leave room for it; nothing
        where nothing is capped.

        Raises `BudgetError`, or what else the run is to end with, once nothing is in flight any more.
        """
        amount = self._bound(role, request) if self._watched else _NOTHING
        while True:
            if (left := self.seconds_left) is not None and left <= 0:
                self.shutdown.stop(self.out_of_time)
            if self._watched and (over := self._over(self._spent + amount)):
                self.shutdown.stop(BudgetError(self._line(over)))
            await self.shutdown.check()
            if not self._watched:
                self.shutdown.enter()
                return amount
            if not self._over(self._spent + self._flying + amount):
                break
            await self._change()
        self._flying += amount
        self.shutdown.enter()
        try:
            await self._remember()
            if self.shutdown.stopping:
                # It has not left yet. Not `check` before `release`: it would wait for itself.
                raise _Late
        except BaseException as error:
            self.release(amount)
            if isinstance(error, _Late):
                await self.shutdown.check()
            raise
        return amount

    def release(self, amount: Amount) -> None:
        """The attempt, for which `amount` was set aside, cost nothing."""
        self._land(amount)

    def lose(self, role: str, amount: Amount, request: Request) -> None:
        """The attempt may have been charged and nobody knows how much: the most that it may cost counts."""
        most = self._bound(role, request)
        self._lost[role] += 1
        with suppress(RunError):  # after a full disk what was set aside counts in any case
            self._journal.put_meta(_LOST, dict(self._lost))
        self._spent += most
        self._unsettled += most
        self._land(amount)

    def settle(self, role: str, amount: Amount, request: Request, usage: Usage) -> None:
        """The attempt was answered. Without usage the most tokens that it may have count."""
        # Not remembered at once: whoever asked puts the answer into the journal before anything else can reserve, and
        # so the journal never forgets a call in flight without holding its answer.
        tokens = usage.prompt_tokens + usage.completion_tokens
        if tokens:
            self._spent += Amount(1, tokens, self._costs[role](usage) or 0.0)
        else:
            most = self._bound(role, request)
            self._spent += most
            self._unsettled += most - Amount(1)
        self._land(amount)

    def close(self) -> None:
        """Write down what is known, for the next process."""
        with suppress(RunError):  # then `_last_words` says it
            self._journal.put_meta(_META, self._state())

    def explain(self, error: RunError) -> RunError:
        """`error` with what was paid for until then, where the journal takes no more answers."""
        if not self._journal.failed:
            return error
        spent, lost = self._spent, len(self.unrecorded)
        return RunError(
            f"{error}; {spent.calls:,} calls and {spent.tokens:,} tokens are used so far, and what is not recorded of "
            f"them ({lost:,} answered call{'s' * (lost != 1)}) counts as used"
        )

    def _last_words(self, is_recorded: Callable[[str], bool]) -> dict[str, Any]:
        words = {_META: self._state(), _LOST: dict(self._lost)}
        return {**words, UNRECORDED: self.unrecorded.to_json(is_recorded)}

    def _used(self, role: str, calls: int, usage: Usage | Tally) -> Amount:
        usd = self._costs[role](usage) if role in self._costs else None
        return Amount(calls, usage.prompt_tokens + usage.completion_tokens, usd or 0.0)

    def _bound(self, role: str, request: Request) -> Amount:
        prompt, completion = prompt_bound(request), request.n * request.max_tokens
        usage = Usage(prompt_tokens=prompt, completion_tokens=completion)
        return Amount(1, prompt + completion, self._costs[role](usage) or 0.0)

    def _over(self, amount: Amount) -> str:
        """Which cap `amount` would exceed, in words."""
        config = self._config
        if config.max_calls is not None and amount.calls > config.max_calls:
            return f"max_calls ({config.max_calls:,}) is reached"
        if config.max_tokens is not None and amount.tokens > config.max_tokens:
            used = f"{self._spent.tokens:,} are used"
            return f"max_tokens ({config.max_tokens:,}) leaves no room for another call ({used})"
        if config.max_usd is not None and amount.usd > config.max_usd + _TOLERANCE:
            used = f"${self._spent.usd:.4f} are spent"
            return f"max_usd (${config.max_usd:g}) leaves no room for another call ({used})"
        return ""

    async def _change(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _land(self, amount: Amount) -> None:
        if amount is not _NOTHING:
            self._flying -= amount
        self.shutdown.leave()
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)

    async def _remember(self) -> None:
        if self._watched:
            self._journal.put_meta(_META, self._state())
            await self._journal.flush()

    def _line(self, cap: str) -> str:
        return f"stopped by the budget: {cap}; {self._kept}"

    def _state(self) -> dict[str, Any]:
        return {"unsettled": asdict(self._unsettled), "in_flight": asdict(self._flying)}


class _Late(Exception):
    """The run was stopped between the reservation and the call."""


def _read_spent(state: Any) -> Amount:
    total = Amount()
    for part in ("unsettled", "in_flight"):
        known = (state or {}).get(part, {})
        total += Amount(int(known.get("calls", 0)), int(known.get("tokens", 0)), float(known.get("usd", 0.0)))
    return total
