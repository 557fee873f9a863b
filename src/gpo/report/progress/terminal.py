"""The progress of a run on stderr: one live line block in a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from gpo.report.progress.pace import PaceLine, describe_phase
from gpo.report.progress.step_line import describe_step
from gpo.run.progress import Progress
from gpo.run.watcher import Watcher
from gpo.text import points, printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from gpo.optimizer.search import StepRecord

REFRESH = 0.25
_PLAIN_WIDTH = 160  # of a step's line in a file or a pipe
_BAR = 28


class ProgressDisplay(Watcher):
    """Shows `progress` until it is left. `note` prints a line above the live block."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._console = _terminal()
        self._pace = PaceLine(progress)
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

    def tick(self) -> None:
        """Nothing: in a terminal a thread of its own draws."""

    def note(self, line: str) -> None:
        """One plain line for a person."""
        if self._console:
            self._console.print(printable(line), markup=False)
        else:
            print(printable(line), file=sys.stderr)

    def step_finished(self, record: StepRecord) -> None:
        """The line that stays when a step is over."""
        self.note(describe_step(record, self._console.width if self._console else _PLAIN_WIDTH))

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
        told = Text(describe_phase(p))
        if p.best_score is not None:
            told.append(" · ").append(f"best dev {points(p.best_score)}", style="bold")
        if p.limit is not None and p.phase == "optimizing":
            told.append(f" · edit limit {p.limit} words")
        width = min(_BAR, self._console.width // 4) if self._console else _BAR
        bar.add_row(ProgressBar(total=max(1, p.pairs_planned), completed=share, width=width), told)
        lines = Table.grid()
        lines.add_row(bar)
        lines.add_row(Text(self._pace.line(), style="dim"))
        return lines


def _terminal() -> Console | None:
    """The terminal that stderr is, None where it is none: then plain lines need nothing to be drawn with."""
    if not sys.stderr.isatty() and not os.environ.get("FORCE_COLOR"):
        return None
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    return console if console.is_terminal and not console.is_dumb_terminal else None
