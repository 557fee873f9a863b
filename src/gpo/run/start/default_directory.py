"""Where a run is kept that was given no directory: named after its configuration, and never in another run's folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpo.run.directory import RunDirectory, State, TakenError

RUNS = Path("runs")
_COMMON = "gpo"
"""The usual name of a configuration, which says nothing."""


@dataclass(frozen=True, slots=True)
class ChosenDirectory:
    """`path`, and a line for a person where it is not the first choice."""

    path: Path
    told: str = ""


def default_name(config: Path, few: int | None = None) -> str:
    """The folder's name for the configuration file `config`: of a file in the working directory its own name, of
    another `gpo.yaml` the folder that it lies in, else both. A quick look at `few` rows has a name of its own."""
    stem, folder = config.stem, config.parent.resolve()
    if folder != Path.cwd() and folder.name:
        stem = folder.name if stem == _COMMON else f"{folder.name}-{stem}"
    return stem if few is None else f"{stem}-n{few}"


def choose_directory(
    config: Path,
    recorded: Mapping[str, Any],
    *,
    any_layout: bool,
    few: int | None = None,
    runs: Path = RUNS,
) -> ChosenDirectory:
    """The folder of the run that `recorded` identifies: the one that holds it already, also under the name that GPO
    0.1.0 gave it, else the first free one. `any_layout`: a run of another layout is the same run. Raises `RunError`
    where a folder cannot be read."""
    name = default_name(config, few)
    first = runs / name
    free, taken = None, ""
    for path in dict.fromkeys((*_present(runs, name), *(() if few else (runs / config.stem,)))):
        try:
            state = _state(path, recorded, any_layout)
        except TakenError as error:
            if path == first:
                taken = error.differs
            continue
        if state != "fresh":
            return ChosenDirectory(path, "" if path == first else f"goes on with the run in {path}")
        if free is None and path.name.startswith(name):
            free = path
    path = free or _next(runs, name)
    if path == first:
        return ChosenDirectory(path)
    why = f"a run of another configuration (it differs in {taken})" if taken else "something else"
    return ChosenDirectory(
        path,
        f"{first} holds {why}, so this one is kept in {path}; --run-dir DIR names another folder, "
        f"--fork {first} uses its answers again",
    )


def _state(path: Path, recorded: Mapping[str, Any], any_layout: bool) -> State:
    directory = RunDirectory(path)
    layout = directory.layout() if any_layout else None
    return directory.check(recorded if layout is None else {**recorded, "layout": layout})


def _present(runs: Path, name: str) -> list[Path]:
    """The folders `NAME`, `NAME-2`, … that are there, in this order."""
    numbered = re.compile(rf"{re.escape(name)}(?:-(\d{{1,6}}))?")
    try:
        found = {path: numbered.fullmatch(path.name) for path in runs.iterdir()}
    except OSError:
        return []
    order = {path: int(match[1] or 1) for path, match in found.items() if match}
    return sorted(order, key=lambda path: order[path])


def _next(runs: Path, name: str) -> Path:
    return next(path for path in _names(runs, name) if not path.exists() and not path.is_symlink())


def _names(runs: Path, name: str) -> Iterator[Path]:
    yield runs / name
    number = 2
    while True:
        yield runs / f"{name}-{number}"
        number += 1
