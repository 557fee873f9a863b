"""GPO and MLflow: runs tracked there (`MlflowTracker`), and its prompt registry's prompts optimized here
(`GPOPromptOptimizer`)."""

from __future__ import annotations

from typing import Any

from gpo.integrations.mlflow.tracker import MlflowTracker

__all__ = ["GPOPromptOptimizer", "MlflowTracker"]


def __getattr__(name: str) -> Any:
    # A class of MLflow's with another base: its module loads MLflow, which takes seconds.
    if name == "GPOPromptOptimizer":
        from gpo.extras import require

        require("mlflow", "mlflow", "GPOPromptOptimizer")
        from gpo.integrations.mlflow.optimizer import GPOPromptOptimizer

        return GPOPromptOptimizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
