"""Carrying out a suite: which cells are left, who runs them, what became of each. Knows no table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from gpo.errors import ConfigError, RunError
from gpo.suites.execution.job import Cell, CellResult, Executor
from gpo.suites.spec.grid import Cells
from gpo.suites.tables.run_outcome import finished

Told = Callable[[CellResult, int, int], None]
"""Is told of a finished cell, which one it is, and of how many."""


def run_cells(cells: Cells, out: Path, executor: Executor, *, only: str | None = None, told: Told) -> None:
    """Run what is not finished, and tell of each run as it ends.

    `only` is a pattern (`*` and `?`) that is looked for anywhere in the names of run directories. Raises `ConfigError`
    where it fits none, and `Interrupted`.
    """
    chosen = [cell for cell in selected(cells.cells, only) if not finished(cell, out)]
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
