"""The numbers of a run that goes on as people read them, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gpo.result.wording import format_dollars, format_duration
from gpo.run.progress import Progress

if TYPE_CHECKING:
    from gpo.model.layers.limits import LimitState


def describe_phase(progress: Progress) -> str:
    """The step under way, or what else is being done."""
    p = progress
    return f"step {min(p.step + 1, p.steps)} of {p.steps}" if p.phase == "optimizing" else p.phase


class PaceLine:
    """Remembers the last numbers of `progress`, so that it can say what they are a second."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._rates: list[tuple[float, int, int]] = []

    def line(self) -> str:
        """Calls and tokens, how many a second, what slows them down, dollars and time."""
        p = self._progress
        self._rates = [*self._rates[-40:], (p.seconds, p.calls, p.tokens)]
        (t0, calls0, tokens0), (t1, calls1, tokens1) = self._rates[0], self._rates[-1]
        span = max(t1 - t0, 1e-9)
        parts = [f"{p.calls:,} calls"]
        if span > 1:
            parts.append(f"{(calls1 - calls0) / span:.1f} calls/s")
            parts.append(f"{(tokens1 - tokens0) / span:,.0f} tokens/s")
        if p.useless:
            parts.append(f"{p.useless:,} of {p.replies:,} replies unreadable or cut")
        if p.cached:
            parts.append(f"{p.cached:,} from the store")
        if p.replayed:
            parts.append(f"{p.replayed:,} replayed")
        if p.retries:
            parts.append(f"{p.retries:,} retries")
        parts += describe_throttling({role: limited.state for role, limited in p.limits.items()})
        parts.append(format_dollars(p.usd))
        parts.append(f"{format_duration(p.seconds)} gone")
        left = p.seconds_left
        if left is not None and p.phase != "done":
            parts.append(f"about {format_duration(left)} left")
        return " · ".join(parts)


def describe_throttling(limits: Mapping[str, LimitState]) -> list[str]:
    """What slows the calls down, by role: fewer at once than configured, or calls that wait for their time. Said once
    where it is the same for both roles; empty where nothing does."""
    said: dict[str, list[str]] = {}
    for role, state in limits.items():
        if state.now < state.configured:
            said.setdefault(f"{state.now}/{state.configured} at once (429)", []).append(role)
        if state.held:
            said.setdefault(_HELD.get(state.held, state.held), []).append(role)
    return [text if "task" in roles else f"{', '.join(roles)} {text}" for text, roles in said.items()]


_HELD = {
    "refused": "waiting for the endpoint",
    "requests_per_minute": "held to requests_per_minute",
    "tokens_per_minute": "held to tokens_per_minute",
}
