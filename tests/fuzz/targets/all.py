"""The table of all fuzz targets."""

from __future__ import annotations

from tests.fuzz.targets import (
    answers,
    bodies,
    candidates,
    configuration,
    data,
    journal,
    parquet,
    replies,
    run_folder,
    store,
    wire,
)
from tests.fuzz.targets.target import Target

TARGETS: tuple[Target, ...] = (
    configuration.TARGET,
    data.TARGET,
    parquet.TARGET,
    answers.TARGET,
    replies.TARGET,
    bodies.TARGET,
    wire.TARGET,
    candidates.TARGET,
    journal.TARGET,
    run_folder.TARGET,
    store.TARGET,
)


def target(name: str) -> Target:
    """The target called `name`. Raises `KeyError`."""
    return {item.name: item for item in TARGETS}[name]
