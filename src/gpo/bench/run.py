"""Carrying out a suite: which cells are left, who runs them, what became of each. Knows no table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from gpo.bench.cells import Cells
from gpo.bench.execute import Cell, CellResult, Executor
from gpo.bench.outcome import finished
from gpo.errors import ConfigError, RunError
from gpo.run.directory import RunDirectory

Told = Callable[[CellResult, int, int], None]
"""Is told of a finished cell, which one it is, and of how many."""


def run_cells(cells: Cells, out: Path, executor: Executor, *, only: str | None = None, told: Told) -> None:
    """Run what is not finished, and tell of each run as it ends.

    `only` is a pattern (`*` and `?`) that is looked for anywhere in the names of run directories. Raises `ConfigError`
    where it fits none, and `Interrupted`.
    """
    chosen = [cell for cell in selected(cells.cells, only) if not finished(cell, out)]
    if (layout := _layout(cells, out)) is not None:
        chosen = [_laid_out(cell, out, layout) for cell in chosen]
    done = 0

    def on_finish(result: CellResult) -> None:
        nonlocal done
        done += 1
        told(result, done, len(chosen))

    if chosen:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"{out}: cannot be created ({error.strerror}); choose another --out") from None
        executor.run(chosen, on_finish)


def _layout(cells: Cells, out: Path) -> int | None:
    """The layout of the first run that is there, None where none is: the runs of a table are made alike."""
    for cell in cells.cells:
        directory = RunDirectory(out / cell.run_dir)
        if directory.journal_path.is_file():
            # What is wrong with a run's directory is told when its turn comes.
            with suppress(RunError):
                if (layout := directory.layout()) is not None:
                    return layout
    return None


def _laid_out(cell: Cell, out: Path, layout: int) -> Cell:
    """`cell` with that layout, unless it has begun or names one."""
    if (out / cell.run_dir).is_dir() or "layout" in cell.config:
        return cell
    return replace(cell, config={**cell.config, "layout": layout})


def narrowed(cells: Cells, only: str | None) -> Cells:
    """The part of a suite that fits `only`. Raises `ConfigError` where nothing does."""
    chosen = selected(cells.cells, only)
    names = {cell.run_dir for cell in chosen}
    places = tuple(place for place in cells.places if place.run_dir in names)
    return replace(cells, cells=tuple(chosen), places=places)


def selected(cells: Sequence[Cell], only: str | None) -> list[Cell]:
    """The cells whose run directory fits `only`. Raises `ConfigError` where none does, and where there are none."""
    if not cells:
        raise ConfigError("the suite makes no run: no model takes any of its settings")
    if only is None:
        return list(cells)
    found = [cell for cell in cells if fnmatchcase(cell.run_dir, f"*{only}*")]
    if not found:
        raise ConfigError(f"--only {only}: fits no cell; they are named like {cells[0].run_dir}")
    return found
