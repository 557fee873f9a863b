"""Whether the run that a configuration asks for has been made already.

Found out without the models and the optimizer, so that the answer is there at once."""

from __future__ import annotations

import os
from pathlib import Path

from gpo.config.schema import Config
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.run.identity.recorded_config import record_configured
from gpo.task.task import Task


def find_complete(config: Config, task: Task, directory: RunDirectory, base_dir: Path) -> Result | None:
    """The result of `config` in `directory`, None where there is none yet. Raises `RunError` where the folder holds a
    run of another configuration."""
    if not os.path.lexists(directory.result_path):
        return None
    complete = directory.check(record_configured(config, task, base_dir)) == "complete"
    return directory.read_result() if complete else None
