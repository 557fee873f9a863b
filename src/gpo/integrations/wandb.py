"""Tracks a run in Weights & Biases."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gpo.extras import require
from gpo.integrations.tracking import TrackedRun, Tracker
from gpo.storage.atomic_write import encode_text


class WandbTracker(Tracker):
    """Pass it as `watcher=`, or write `gpo optimize --track wandb`.

    `project` and `mode` ("online", "offline") are those of `wandb.init`; where they are left out, `WANDB_PROJECT`
    ("gpo" without it) and `WANDB_MODE` decide. `folder` is where W&B keeps its files, the working directory if left
    out. Raises `ConfigError` where wandb is not installed.
    """

    name = "wandb"

    def __init__(
        self,
        *,
        project: str | None = None,
        mode: str | None = None,
        folder: str | Path | None = None,
        report: bool = True,
    ) -> None:
        super().__init__(report=report)
        require("wandb", "wandb", "tracking in Weights & Biases")
        self._project, self._mode, self._folder = project, mode, folder

    def open_run(self, run_id: str | None, name: str) -> TrackedRun:
        """See `Tracker`."""
        import wandb

        return _WandbRun(
            wandb.init(
                project=self._project or os.environ.get("WANDB_PROJECT") or "gpo",
                mode=self._mode,
                dir=None if self._folder is None else str(self._folder),
                name=name,
                id=run_id,
                resume="allow",
                reinit="create_new",
                # It would send the command line, the code, the address of the git remote and what else is printed.
                settings=wandb.Settings(
                    silent=True,
                    console="off",
                    disable_git=True,
                    save_code=False,
                    x_disable_meta=True,
                    x_disable_stats=True,
                ),
            )
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """See `Tracker`."""
        return (os.environ.get("WANDB_API_KEY", ""),)


class _WandbRun:
    """See `TrackedRun`."""

    def __init__(self, run: Any) -> None:
        self._run = run
        self.id: str = run.id

    def log_params(self, params: Mapping[str, str | float | bool]) -> None:
        self._run.config.update(dict(params))

    def log_step(self, step: int, metrics: Mapping[str, float]) -> None:
        self._run.log(dict(metrics), step=step)

    def log_summary(self, metrics: Mapping[str, float], tags: Mapping[str, str]) -> None:
        self._run.summary.update({**metrics, **tags})

    def log_prompts(self, prompts: Mapping[str, str]) -> None:
        for name, prompt in prompts.items():
            path = self._place(f"prompts/{name}.txt")
            path.write_bytes(encode_text(prompt))
            self._save(path)

    def log_file(self, path: Path) -> None:
        # W&B links to what lies elsewhere, and a run's folder may be gone when it is synchronized.
        copied = self._place(path.name)
        shutil.copyfile(path, copied)
        self._save(copied)

    def close(self, status: str) -> None:
        self._run.finish(exit_code=0 if status in ("complete", "budget") else 1)

    def _place(self, name: str) -> Path:
        path = Path(self._run.dir) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _save(self, path: Path) -> None:
        self._run.save(str(path), base_path=self._run.dir, policy="now")
