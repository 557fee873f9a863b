"""Progress of fetching weights on stderr. Knows byte counts and no source."""

from __future__ import annotations

from types import TracebackType


class PullDisplay:
    """A bar a file in a terminal; one line at the start and the end of each file elsewhere."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        self._console = Console(stderr=True, highlight=False)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[str, object] = {}

    def __enter__(self) -> PullDisplay:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def progress(self, name: str, done: int, total: int) -> None:
        """To be called as bytes arrive; `name` says from where."""
        if not self._console.is_terminal:
            if name not in self._tasks:
                self._console.print(f"fetching weights from {name} ({total / 1e6:,.0f} MB)", markup=False)
                self._tasks[name] = None
            return
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(f"fetching weights from {name}", total=total)
        self._bars.update(self._tasks[name], completed=done)  # type: ignore[arg-type]
