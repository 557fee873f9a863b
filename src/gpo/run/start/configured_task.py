"""The task that a configuration names, read once for all who ask for it on the way to a run."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from gpo.config.schema import Config
from gpo.run.identity.recorded_config import set_frame
from gpo.run.start.quick_look import take_few
from gpo.task.task import Task


class ConfiguredTask(NamedTuple):
    """The task in its frame, and what to say of it where it is only a quick look."""

    task: Task
    quick: str = ""


def read_task(
    config: Config, base_dir: Path, data_dir: Path | None, few: int | None = None
) -> ConfiguredTask:
    """The task that `config` names; `few` as for `assemble`. Raises `ConfigError` and `DataError`."""
    task = Task.from_config(
        config.task, seed=config.seed, chat=config.models.task.chat, base_dir=base_dir, data_dir=data_dir
    )
    task = set_frame(task, config)
    return ConfiguredTask(task) if few is None else ConfiguredTask(*take_few(task, few, config.seed))
