"""Which layout a run goes on with: that of the run directory, so that no finished call is paid again.

A layout is how prompts are framed, meta-prompts worded and steps counted.
"""

from __future__ import annotations

from pathlib import Path

from gpo.config.schema import Config
from gpo.errors import RunError
from gpo.run.directory import RunDirectory

KNOWN = (1, 2)


def keep_layout(config: Config, run_dir: Path, fork: Path | None = None) -> Config:
    """`config` with the layout of the run in `run_dir` or, where there is none yet, of the one in `fork`; unchanged
    where `config` names a layout itself. Raises `RunError`."""
    if "layout" in config.model_fields_set:
        return config
    for folder in (run_dir, fork):
        layout = RunDirectory(folder).layout() if folder is not None and folder.is_dir() else None
        if layout is not None and layout not in KNOWN:
            raise RunError(f"{folder}: holds a run of a newer GPO (layout {layout}); go on with that version")
        if layout is not None:
            return config.model_copy(update={"layout": layout})
    return config
