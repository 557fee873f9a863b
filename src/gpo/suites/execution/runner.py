"""Carrying out a suite: which trials are left, who runs them, what became of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from gpo.errors import ConfigError, RunError
from gpo.run.directory import RunDirectory
from gpo.suites.execution.job import Executor, Trial, TrialResult
from gpo.suites.spec.grid import Grid
from gpo.suites.tables.run_outcome import is_finished

Told = Callable[[TrialResult, int, int], None]
"""Is told of a finished trial, which one it is, and of how many."""


def run_trials(trials: Grid, out: Path, executor: Executor, *, only: str | None = None, told: Told) -> None:
    """Run what is not finished, and tell of each run as it ends.

    `only` is a pattern (`*` and `?`) that is looked for anywhere in the names of run directories. Raises `ConfigError`
    where it fits none, and `Interrupted`.
    """
    chosen = [trial for trial in select_trials(trials.trials, only) if not is_finished(trial, out)]
    if (layout := _find_layout(trials, out)) is not None:
        chosen = [_set_layout(trial, out, layout) for trial in chosen]
    done = 0

    def on_finish(result: TrialResult) -> None:
        nonlocal done
        done += 1
        told(result, done, len(chosen))

    if chosen:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"{out}: cannot be created ({error.strerror}); choose another --out") from None
        executor.run(chosen, on_finish)


def _find_layout(trials: Grid, out: Path) -> int | None:
    """The layout of the first run that is there, None where none is: the runs of a table are made alike."""
    for trial in trials.trials:
        directory = RunDirectory(out / trial.run_dir)
        if directory.journal_path.is_file():
            # What is wrong with a run's directory is told when its turn comes.
            with suppress(RunError):
                if (layout := directory.layout()) is not None:
                    return layout
    return None


def _set_layout(trial: Trial, out: Path, layout: int) -> Trial:
    """`trial` with that layout, unless it has begun or names one."""
    if (out / trial.run_dir).is_dir() or "layout" in trial.config:
        return trial
    return replace(trial, config={**trial.config, "layout": layout})


def narrow(trials: Grid, only: str | None) -> Grid:
    """The part of a suite that fits `only`. Raises `ConfigError` where nothing does."""
    chosen = select_trials(trials.trials, only)
    names = {trial.run_dir for trial in chosen}
    slots = tuple(slot for slot in trials.slots if slot.run_dir in names)
    return replace(trials, trials=tuple(chosen), slots=slots)


def select_trials(trials: Sequence[Trial], only: str | None) -> list[Trial]:
    """The trials whose run directory fits `only`. Raises `ConfigError` where none does, and where there are none."""
    if not trials:
        raise ConfigError("the suite makes no run: no model takes any of its settings")
    if only is None:
        return list(trials)
    found = [trial for trial in trials if fnmatchcase(trial.run_dir, f"*{only}*")]
    if not found:
        raise ConfigError(f"--only {only}: fits no trial; they are named like {trials[0].run_dir}")
    return found
