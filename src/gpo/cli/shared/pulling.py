"""Progress of fetching weights on stderr."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class PullDisplay:
    """A bar a file in a terminal; one line at the start and the end of each file elsewhere."""

    def __init__(self) -> None:
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID | None] = {}

    def __enter__(self) -> PullDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._bars is not None and self._bars.console.is_terminal:
            self._bars.stop()

    def progress(self, name: str, done: int, total: int) -> None:
        """To be called as bytes arrive; `name` says from where."""
        bars = self._bars or self._start()
        if not bars.console.is_terminal:
            if name not in self._tasks:
                bars.console.print(f"fetching weights from {name} ({total / 1e6:,.0f} MB)", markup=False)
                self._tasks[name] = None
            return
        if name not in self._tasks:
            self._tasks[name] = bars.add_task(f"fetching weights from {name}", total=total)
        task = self._tasks[name]
        assert task is not None
        bars.update(task, completed=done)

    def _start(self) -> Progress:
        # When the first bytes come, which they mostly never do: the weights are there, or the model is elsewhere.
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=Console(stderr=True, highlight=False),
            transient=True,
        )
        if self._bars.console.is_terminal:
            self._bars.start()
        return self._bars
