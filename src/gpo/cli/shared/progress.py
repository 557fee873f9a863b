"""The progress of a run on stderr: one live line block in a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from gpo.result.wording import dollars, duration
from gpo.run.progress import Progress
from gpo.text import printable, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console, RenderableType

    from gpo.model.layers.limits import LimitState
    from gpo.optimizer.search import StepRecord

REFRESH = 0.25


class ProgressDisplay:
    """Shows `progress` until it is left. `note` prints a line above the live block."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._console = _terminal()
        self._rates: list[tuple[float, int, int]] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> ProgressDisplay:
        if self._console:
            from rich.live import Live

            self._block = Live(
                self._render(),
                console=self._console,
                transient=True,
                auto_refresh=False,
                redirect_stdout=False,
            )
            self._block.start()
            self._thread = threading.Thread(target=self._refresh, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()
            self._block.stop()

    def note(self, line: str) -> None:
        """One plain line for a person."""
        if self._console:
            self._console.print(printable(line), markup=False)
        else:
            print(printable(line), file=sys.stderr)

    def step_finished(self, record: StepRecord) -> None:
        """The line that stays when a step is over."""
        limit = "" if record.limit is None else f"  edit limit {record.limit:>2}"
        better = " ↑" if record.best_score > record.parent_score and record.best == record.chosen else "  "
        head = (
            f"step {record.step + 1:>{len(str(record.total))}}/{record.total}{limit}  {record.scored} candidates  "
            f"dev {100 * record.chosen_score:5.1f}  best {100 * record.best_score:5.1f}{better} "
        )
        width = max(20, self._console.width - len(head) - 2) if self._console else 100
        self.note(head + " " + shorten(record.chosen, width))

    def _refresh(self) -> None:
        while not self._stop.wait(REFRESH):
            self._block.update(self._render(), refresh=True)

    def _render(self) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        p = self.progress
        bar = Table.grid(padding=(0, 1))
        share = min(p.pairs_done, p.pairs_planned)
        bar.add_row(
            ProgressBar(total=max(1, p.pairs_planned), completed=share, width=28),
            Text(f"step {min(p.step + 1, p.steps)} of {p.steps}" if p.phase == "optimizing" else p.phase),
            Text("" if p.best_score is None else f"best dev {100 * p.best_score:.1f}", style="bold"),
            Text("" if p.limit is None or p.phase != "optimizing" else f"edit limit {p.limit} words"),
        )
        lines = Table.grid()
        lines.add_row(bar)
        lines.add_row(Text(self._pace(), style="dim"))
        return lines

    def _pace(self) -> str:
        p = self.progress
        self._rates = [*self._rates[-40:], (p.seconds, p.calls, p.tokens)]
        (t0, calls0, tokens0), (t1, calls1, tokens1) = self._rates[0], self._rates[-1]
        span = max(t1 - t0, 1e-9)
        parts = [f"{p.calls:,} calls"]
        if span > 1:
            parts.append(f"{(calls1 - calls0) / span:.1f} calls/s")
            parts.append(f"{(tokens1 - tokens0) / span:,.0f} tokens/s")
        if p.cached:
            parts.append(f"{p.cached:,} from the store")
        if p.replayed:
            parts.append(f"{p.replayed:,} replayed")
        if p.retries:
            parts.append(f"{p.retries:,} retries")
        parts += describe_throttling({role: limited.state for role, limited in p.limits.items()})
        parts.append(dollars(p.usd))
        parts.append(f"{duration(p.seconds)} gone")
        left = p.seconds_left
        if left is not None and p.phase != "done":
            parts.append(f"about {duration(left)} left")
        return " · ".join(parts)


def _terminal() -> Console | None:
    """The terminal that stderr is, None where it is none: then plain lines need nothing to be drawn with."""
    if not sys.stderr.isatty() and not os.environ.get("FORCE_COLOR"):
        return None
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    return console if console.is_terminal and not console.is_dumb_terminal else None


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
