"""What a configuration, its task and its method mean together: roles, first prompt, racing, and what does not fit."""

from __future__ import annotations

from collections.abc import Sequence

from gpo.config.models import ModelConfig
from gpo.config.schema import Config
from gpo.errors import ConfigError
from gpo.model.factory import RoleName
from gpo.optimizer.choose import AnyMethod
from gpo.optimizer.methods import Method
from gpo.optimizer.published.evaluate_only import EvaluateOnly
from gpo.task.benchmarks.mmlu import name_subject
from gpo.task.task import Task


def choose_roles(config: Config, task: Task) -> tuple[tuple[RoleName, ModelConfig], ...]:
    """The roles that `task` needs. Raises `ConfigError` where it needs a judge and there is none."""
    models = config.models
    roles: list[tuple[RoleName, ModelConfig]] = [("task", models.task), ("optimizer", models.optimizer)]
    if task.metric.judge is not None:
        if models.judge is None:
            raise ConfigError("models.judge: is missing; the metric judge needs a model that grades")
        roles.append(("judge", models.judge))
    if models.embedder:
        roles.append(("embedder", models.embedder))
    return tuple(roles)


def choose_prompt(config: Config, chosen: AnyMethod) -> str:
    """The prompt that a run begins with."""
    # `empty` and `cot` are prompts of their own: what they name is what is evaluated.
    if isinstance(chosen, EvaluateOnly):
        return chosen.prompt
    released = config.preset == "released" and config.layout > 1
    return name_subject(config.prompt, config.task.data) if released else config.prompt


def choose_racing(config: Config, chosen: AnyMethod) -> bool:
    """Whether candidates race. Raises `ConfigError` for a method that picks its best in a way of its own."""
    if config.evaluation == "full" or isinstance(chosen, Method):
        return config.evaluation == "racing"
    if not isinstance(chosen, EvaluateOnly):
        raise ConfigError(
            f"evaluation: racing picks a step's best candidate, and {chosen.name} picks in a way of its own; write full"
        )
    return False


def check_rows_tell(task: Task) -> None:
    """Raise `ConfigError` where a score belongs to the whole split, which gpo+ cannot estimate from rows."""
    if task.metric.over_split is not None:
        raise ConfigError(
            f"method: gpo+ estimates scores row by row, and {task.metric.name} is a score of the whole split; "
            "use gpo, or a metric of rows (exact_match)"
        )


def check_frozen(prompt: str, frozen: Sequence[str]) -> None:
    """Raise `ConfigError` for a frozen text that `prompt` does not have."""
    for text in frozen:
        if text not in prompt:
            raise ConfigError(f"optimize.frozen: {text!a} does not stand in the initial prompt")
