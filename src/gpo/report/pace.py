"""What a run cost and how fast it went: tokens and dollars by model and step, calls under way over time.

Reads the journal's calls without their texts, and prices. A price that is not known stays None.
"""

from __future__ import annotations

import bisect
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from gpo.config.models import Price
from gpo.model.prices import add_dollars, cost, recorded_price
from gpo.model.tally import Tally
from gpo.run.journal_writer import prompt_id
from gpo.storage.journal_reader import JournalReader
from gpo.storage.records import LedgerLine

ROLES = ("task", "optimizer", "judge")
_BINS = 160

Phase = str | int
"""A step's number, or "initial" or "test"."""


@dataclass(frozen=True, slots=True)
class PhaseUsage:
    """What one role used (`usd` None: unknown), or several of them together."""

    tally: Tally
    usd: float | None

    @property
    def tokens(self) -> int:
        """Tokens read and written by calls that were sent."""
        return self.tally.prompt_tokens + self.tally.completion_tokens

    @property
    def cached_share(self) -> float | None:
        """Share of prompt tokens that the server took from its prefix cache, None where none were sent."""
        sent = self.tally.prompt_tokens
        return self.tally.cached_tokens / sent if sent else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """`roles` by role; `phases` in time order, each by role. `concurrency` is the mean number of calls under way in
    bins of `bin_seconds` of working time (pauses between processes are left out; `resumed` says where they were).
    `seconds_per_call` has the median and the 95th percentile of calls that were sent, by role."""

    roles: Mapping[str, PhaseUsage]
    models: Mapping[str, str]
    phases: Sequence[tuple[Phase, Mapping[str, PhaseUsage]]]
    concurrency: Sequence[float]
    bin_seconds: float
    resumed: Sequence[float]
    seconds_per_call: Mapping[str, tuple[float, float]]
    sent: Sequence[float]
    """When each call was sent that was, in no order."""

    @property
    def usd(self) -> float | None:
        """Dollars of all roles together, None where a price is unknown."""
        return add_dollars(usage.usd for usage in self.roles.values())

    @property
    def tokens(self) -> int:
        """Tokens read and written by all roles together."""
        return sum(usage.tokens for usage in self.roles.values())


def read_pace(reader: JournalReader, prompts: Mapping[str, int | None], config: Mapping[str, Any]) -> Pace:
    """`prompts` maps the text of every known prompt to the step that brought it up (None: the initial prompt); the
    prompts of a step that is not over yet are not known."""
    ledger = list(reader.ledger())
    phases = _phases(reader, ledger, {prompt_id(text): step for text, step in prompts.items()})
    models = config.get("models", {})
    parts: dict[tuple[Phase, str], _Sums] = defaultdict(_Sums)
    for line in ledger:
        parts[phases[line.key], line.role].add(line)
    tallies = {key: part.tally() for key, part in parts.items()}
    sums: dict[str, Tally] = {}
    for (_, role), tally in tallies.items():
        sums[role] = sums.get(role, Tally()) + tally
    prices = {role: recorded_price(models.get(role)) for role in sums}
    order = sorted({phase for phase, _ in tallies}, key=_order)
    concurrency, width, resumed = _concurrency(ledger, [event.at for event in reader.events("start")])
    return Pace(
        roles={role: _usage(sums[role], prices[role]) for role in (*ROLES, *sums) if role in sums},
        models={role: str((models.get(role) or {}).get("model", role)) for role in sums},
        phases=[
            (
                phase,
                {
                    role: _usage(tallies[phase, role], prices[role])
                    for role in sums
                    if (phase, role) in tallies
                },
            )
            for phase in order
        ],
        concurrency=concurrency,
        bin_seconds=width,
        resumed=resumed,
        seconds_per_call=_latency(ledger),
        sent=[line.started for line in ledger if line.source == "sent"],
    )


class _Sums:
    """Adds up lines of the ledger in place: there may be a hundred thousand."""

    def __init__(self) -> None:
        self.calls = self.cached = self.prompt = self.completion = self.reused = 0

    def add(self, line: LedgerLine) -> None:
        if line.source == "store":
            self.cached += 1
            return
        self.calls += 1
        self.prompt += line.prompt_tokens
        self.completion += line.completion_tokens
        self.reused += line.cached_tokens

    def tally(self) -> Tally:
        return Tally(
            calls=self.calls,
            cached=self.cached,
            prompt_tokens=self.prompt,
            completion_tokens=self.completion,
            cached_tokens=self.reused,
        )


def _order(phase: Phase) -> tuple[int, int]:
    return (1, phase) if isinstance(phase, int) else (0 if phase == "initial" else 2, 0)


def _phases(
    reader: JournalReader, ledger: Sequence[LedgerLine], first_step: Mapping[str, int | None]
) -> dict[str, Phase]:
    """The phase of every call: that of the score that rests on it, else the step whose scoring came next."""
    found: dict[str, Phase] = {}
    unfinished = max((step for step in first_step.values() if step is not None), default=-1) + 1
    for _, keys in reader.score_calls("test"):
        found.update(dict.fromkeys(keys, "test"))
    for id_, keys in reader.score_calls("dev"):  # after test: a call that both share was paid for by dev
        step = first_step.get(id_, unfinished)
        if step is None:
            found.update(dict.fromkeys(keys, "initial"))
            continue
        for key in keys:
            known = found.setdefault(key, step)
            if known == "test" or (isinstance(known, int) and step < known):
                found[key] = step
    starts: dict[int, float] = {}
    for line in ledger:
        phase = found.get(line.key)
        if isinstance(phase, int) and line.started < starts.get(phase, math.inf):
            starts[phase] = line.started
    times = sorted((start, phase) for phase, start in starts.items())
    after = times[-1][1] + 1 if times else 0
    for line in ledger:
        if line.key not in found:
            index = bisect.bisect_left(times, (line.started, -1))
            found[line.key] = times[index][1] if index < len(times) else after
    return found


def _concurrency(
    ledger: Sequence[LedgerLine], starts: Sequence[float]
) -> tuple[list[float], float, list[float]]:
    """Mean calls under way by bin, the width of a bin in seconds, and where a later process went on."""
    spans = sorted((line.started, line.started + line.seconds) for line in ledger if line.source == "sent")
    if not spans:
        return [], 0.0, []
    starts = sorted(starts) or [spans[0][0]]
    lengths = [0.0] * len(starts)
    placed = []
    for begin, end in spans:
        index = max(0, bisect.bisect_right(starts, begin) - 1)
        if end - starts[index] > lengths[index]:
            lengths[index] = end - starts[index]
        placed.append((index, begin, end))
    *offsets, total = accumulate(lengths, initial=0.0)
    if total <= 0:
        return [], 0.0, []
    width = total / _BINS
    bins = [0.0] * _BINS
    for index, begin, end in placed:
        shift = offsets[index] - starts[index]
        _fill(bins, max(0.0, shift + begin) / width, max(0.0, shift + end) / width)
    resumed = [offset for offset, length in zip(offsets[1:], lengths[1:], strict=True) if length > 0]
    return bins, width, resumed


def _fill(bins: list[float], low: float, high: float) -> None:
    last = len(bins) - 1
    first, end = min(int(low), last), min(int(high), last)
    if first == end:  # most calls are shorter than a bin
        bins[first] += max(0.0, min(high, first + 1) - low)
        return
    for index in range(first, end + 1):
        bins[index] += max(0.0, min(high, index + 1) - max(low, index))


def _latency(ledger: Sequence[LedgerLine]) -> dict[str, tuple[float, float]]:
    seconds: dict[str, list[float]] = {}
    for line in ledger:
        if line.source == "sent":
            seconds.setdefault(line.role, []).append(line.seconds)
    for values in seconds.values():
        values.sort()
    return {role: (v[len(v) // 2], v[min(len(v) - 1, int(0.95 * len(v)))]) for role, v in seconds.items()}


def _usage(tally: Tally, price: Price | None) -> PhaseUsage:
    return PhaseUsage(tally, cost(tally, price) if tally.calls else 0.0)
