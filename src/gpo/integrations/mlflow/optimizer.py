"""Prompts of MLflow's registry, optimized by GPO: an optimizer for `mlflow.genai.optimize_prompts`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlflow.genai.optimize.optimizers import BasePromptOptimizer
from mlflow.genai.optimize.types import PromptOptimizerOutput

from gpo.api.functions import optimize
from gpo.errors import ConfigError
from gpo.integrations.mlflow.evaluation import MlflowEvaluation
from gpo.integrations.mlflow.templates import MlflowTemplates
from gpo.integrations.mlflow.tracker import MlflowTracker
from gpo.options import ModelLike
from gpo.result.result import Result
from gpo.run.watcher import Watchers
from gpo.task.task import Task

SHARES = {"train": 0.2, "dev": 0.4, "test": 0.4}
"""How the training data is divided where `split` does not say otherwise."""


class GPOPromptOptimizer(BasePromptOptimizer):  # type: ignore[misc]
    """Pass it as `optimizer=` to `mlflow.genai.optimize_prompts`.

    `model` is the optimizer model as in `gpo.optimize`, or a URI of MLflow's ("openai:/gpt-4o"). `predict_fn` does
    its own work: each row it is called with is a call of the budget. The training data is divided as `split` says;
    the scores that MLflow is told are those on the held-out part. Other `options` are those of `gpo.optimize`
    (`method`, `optimize`, `budget`, `seed`, `evaluation`, `progress`, `run_dir`); with `run_dir` an `identity` must
    name what `predict_fn` does, a text that changes when it does. `result` is the last run's.
    """

    def __init__(
        self,
        model: ModelLike,
        *,
        split: Mapping[str, int | float] | None = None,
        identity: str | None = None,
        run_dir: str | Path | None = None,
        **options: Any,
    ) -> None:
        if run_dir is not None and identity is None:
            raise ConfigError(
                "identity: name what predict_fn does, so that a run directory is not gone on with another"
            )
        uri = isinstance(model, str) and ":/" in model and "://" not in model
        self.model = str(model).replace(":/", "/", 1) if uri else model
        self.split, self.identity, self.run_dir = dict(split or SHARES), identity, run_dir
        self.options = options
        self.result: Result | None = None

    def optimize(
        self,
        eval_fn: Any,
        train_data: list[dict[str, Any]],
        target_prompts: dict[str, str],
        enable_tracking: bool = True,
    ) -> Any:
        """See MLflow. Raises `ConfigError` without data, and `GPOError` as `gpo.optimize` does."""
        if not train_data or eval_fn is None:
            raise ConfigError("mlflow.genai.optimize_prompts: GPO needs train_data and scorers")
        templates = MlflowTemplates(target_prompts)
        evaluation = MlflowEvaluation(eval_fn, train_data, templates)
        task = Task.from_program(
            evaluation.rows,
            evaluation.run,
            metric=evaluation.score,
            name="mlflow",
            input="inputs",
            target="expected",
            identity=f"mlflow:{self.identity or ''}",
            split=self.split,
            seed=self.options.get("seed", 0),
        )
        result = self.result = optimize(
            task,
            prompts=templates.parts,
            models={"optimizer": self.model},
            run_dir=self.run_dir,
            **{**self.options, **({"watcher": self._watcher()} if enable_tracking else {})},
        )
        return PromptOptimizerOutput(
            optimized_prompts=templates.restore(result.best_prompts),
            initial_eval_score=result.scores.initial.test,
            final_eval_score=result.scores.best.test,
        )

    def _watcher(self) -> Watchers:
        """The run that MLflow has begun is told too, beside whoever watches."""
        import mlflow

        active = mlflow.active_run()
        tracker = MlflowTracker(run_id=active.info.run_id) if active else None
        return Watchers(self.options.get("watcher"), tracker)
