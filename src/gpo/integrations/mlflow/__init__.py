"""GPO and MLflow: runs tracked there (`MlflowTracker`), and its prompt registry's prompts optimized here
(`GPOPromptOptimizer`)."""

from gpo.integrations.mlflow.tracker import MlflowTracker

__all__ = ["MlflowTracker"]
