"""What a configuration, its task and its method mean together: roles, first prompt, racing, and what does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gpo.config.models import ModelConfig
from gpo.config.schema import Config
from gpo.errors import ConfigError
from gpo.model.factory import RoleName
from gpo.optimizer.choose import AnyMethod
from gpo.optimizer.methods import Method
from gpo.optimizer.plus.method import PlusMethod
from gpo.optimizer.published.evaluate_only import EvaluateOnly
from gpo.task.benchmarks.mmlu import name_subject
from gpo.task.program.parts import ONLY, check_parts, join_parts
from gpo.task.prompt import Position, beside_system
from gpo.task.task import Task

_TURNS = ("system", "user")


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


def name_parts(config: Config, task: Task) -> Task:
    """`task` with the names of its prompts, where they have any. Raises `ConfigError` for prompts that do not fit."""
    program, prompts = task.program, config.prompts
    if prompts is None and program is None:
        return task
    if config.layout == 1:
        raise ConfigError(
            "layout: 1 is that of GPO 0.1.0, which knew one prompt and no programs; leave it out"
        )
    if prompts is None:
        if "prompt" not in config.model_fields_set:
            raise ConfigError(
                "prompts: is missing; a program starts from prompts by their names, such as "
                '{"answer": "Answer the question."}'
            )
        return replace(task, parts=(ONLY,))
    if "prompt" in config.model_fields_set:
        raise ConfigError("prompt: and prompts: both say what to start from; leave one out")
    names = tuple(check_parts(prompts))
    if program is None:
        return _place_turns(task, names)
    return replace(task, parts=names)


def _place_turns(task: Task, names: tuple[str, ...]) -> Task:
    """A task without a program, whose prompts are those of the turns."""
    if unknown := [name for name in names if name not in _TURNS]:
        raise ConfigError(
            f"prompts.{unknown[0]}: a task without a program has the prompts system and user; "
            "task.program or gpo.Task.from_program runs a program, which has prompts of any name"
        )
    if not task.chat:
        raise ConfigError("prompts: a base model (models.task.chat: false) has no turns; write prompt")
    position: Position = "system" if names == ("system",) else task.position
    if names == ("user",):
        position = beside_system(position)
    return replace(task, parts=names, position=position)


def check_method(chosen: AnyMethod, task: Task) -> None:
    """Raise `ConfigError` for a method that does not know what `task` is made of."""
    if isinstance(chosen, EvaluateOnly) and task.parts:
        raise ConfigError(
            f"method: {chosen.name} evaluates a prompt of its own; gpo evaluate scores those of a program"
        )
    if len(task.parts) > 1 and not isinstance(chosen, Method | PlusMethod):
        raise ConfigError(
            f"method: {chosen.name} knows one prompt, and here are {len(task.parts)}; use gpo or gpo+"
        )


def choose_prompt(config: Config, chosen: AnyMethod) -> str:
    """The prompt that a run begins with, several as one text."""
    if config.prompts is not None:
        return join_parts(config.prompts)
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
