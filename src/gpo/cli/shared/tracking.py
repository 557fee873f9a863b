"""What `--track NAME` means."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpo.integrations.tracking import Tracker


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
