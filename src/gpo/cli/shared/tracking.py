"""What `--track NAME` means."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from gpo.config.schema import Config
    from gpo.integrations.tracking import Tracker
    from gpo.result.result import Result
    from gpo.run.watcher import Watcher


def open_tracker(name: str) -> Tracker:
    """The tracker called `name`. Raises `ConfigError` for another name, and where its package is not installed."""
    from gpo.errors import ConfigError

    if name == "mlflow":
        from gpo.integrations.mlflow import MlflowTracker

        return MlflowTracker()
    if name == "wandb":
        from gpo.integrations.wandb import WandbTracker

        return WandbTracker()
    raise ConfigError(f"--track {name!a}: must be mlflow or wandb")


def tell_complete(config: Config, result: Result, run_dir: Path, watcher: Watcher) -> None:
    """Tell `watcher` of a run that is over already: it may not have been there."""
    from gpo.config.load import dump_config, parse_yaml
    from gpo.run.watcher import Watchers

    watchers = Watchers(watcher)
    watchers.run_started(run_dir, parse_yaml(dump_config(config), "config.yaml")[0])
    watchers.run_finished(run_dir, result)
