"""Whether the run that a configuration asks for has been made already.

Found out without the models and the optimizer, so that the answer is there at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from gpo.config.schema import Config
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.run.identity.recorded_config import read_task, record_config
from gpo.task.task import Task


class Earlier(NamedTuple):
    """What was found: the `result` of a complete run, and the `task` where it had to be read to know."""

    result: Result | None = None
    task: Task | None = None


def find_complete(config: Config, directory: RunDirectory, base_dir: Path, data_dir: Path | None) -> Earlier:
    """The result of `config` in `directory`. Raises `ConfigError`, `DataError`, and `RunError` where the folder holds
    a run of another configuration."""
    if not os.path.lexists(directory.result_path):
        return Earlier()
    task = read_task(config, base_dir, data_dir)
    if directory.check(record_config(config, task, None, base_dir, own_task=False)) != "complete":
        return Earlier(task=task)
    return Earlier(directory.read_result(), task)
