"""The progress of a run in a notebook: one output that is drawn anew, and the notes of the run under it."""

from __future__ import annotations

import sys
from collections import deque
from html import escape
from typing import Any, Self

from gpo.optimizer.search import StepRecord
from gpo.report.progress.pace import PaceLine, describe_phase
from gpo.report.progress.step_line import changed_text
from gpo.run.progress import Progress
from gpo.run.watcher import Watcher
from gpo.text import printable, shorten

STEPS = 5
"""Steps that stay in sight; the result has them all."""


def is_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


class NotebookProgress(Watcher):
    """Shows `progress` in the output of the cell that is running. A watcher of its run."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._pace = PaceLine(progress)
        self._notes: list[str] = []
        self._steps: deque[str] = deque(maxlen=STEPS)
        self._handle: Any = None

    def __enter__(self) -> Self:
        from IPython import display

        show: Any = display.display  # typed only where IPython is installed
        self._handle = show(self, display_id=True)
        return self

    def __exit__(self, *_: Any) -> None:
        self.tick()

    def tick(self) -> None:
        """Draw what has changed."""
        self._handle.update(self)

    def note(self, line: str) -> None:
        """One plain line for a person."""
        self._notes.append(printable(line))

    def step_finished(self, record: StepRecord) -> None:
        """The line of a step that is over."""
        self._steps.append(
            f"step {record.step + 1}/{record.total}  dev {100 * record.chosen_score:.1f}  "
            f"best {100 * record.best_score:.1f}  {shorten(changed_text(record), 80)}"
        )

    def __repr__(self) -> str:
        """The same as plain text, for notebooks that are read without HTML."""
        share = 100 * self._share
        return "\n".join([f"{share:3.0f} % {self._line()}", *self._steps, *self._notes])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<div style='white-space:pre-wrap'>{escape(line)}</div>" for line in (*self._steps, *self._notes)
        )
        return (
            f"<div style='font-family:monospace'><progress max='1' value='{self._share:.3f}'></progress> "
            f"{escape(self._line())}{rows}</div>"
        )

    @property
    def _share(self) -> float:
        p = self.progress
        if p.phase == "done":
            return 1.0
        return min(1.0, p.pairs_done / p.pairs_planned) if p.pairs_planned else 0.0

    def _line(self) -> str:
        p = self.progress
        best = "" if p.best_score is None else f" · best dev {100 * p.best_score:.1f}"
        return f"{describe_phase(p)}{best} · {self._pace.line()}"
