"""From what Python passes (objects, functions, mappings, names) to a plan, as `gpo.config` makes one of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gpo import paths
from gpo.config.load import parse_config
from gpo.config.models import name_function
from gpo.errors import ConfigError
from gpo.model.callable import THREADS, CallableModel
from gpo.model.factory import OpenModel
from gpo.model.layers.endpoint_limiter import EndpointLimiter, RoleQueue
from gpo.optimizer.methods import ComposedMethod, Method, compose_own
from gpo.options import ModelLike, OwnMethod
from gpo.run.layout import keep_layout
from gpo.run.plan import Plan, assemble
from gpo.task.program.parts import check_parts
from gpo.task.task import Task


def make_plan(
    task: Task | Mapping[str, Any] | str,
    models: Mapping[str, ModelLike] | ModelLike,
    *,
    prompt: str | None = None,
    prompts: Mapping[str, str] | None = None,
    method: str | Mapping[str, Any] | OwnMethod = "gpo",
    data_dir: str | Path | None = None,
    begun: Path | None = None,
    source: str = "gpo.optimize",
    **settings: Any,
) -> Plan:
    """A plan of these arguments of `gpo.optimize`; errors are said of `source`. Raises `GPOError`."""
    if isinstance(method, Mapping) and "name" not in method:
        method = compose_own(method, Path()) or method
    roles = _roles(models, task)
    if callable(roles.get("embedder")):
        raise ConfigError("models.embedder: must be a name or a mapping; a function cannot take its place")
    own = {role: _own_model(role, model) for role, model in roles.items() if callable(model)}
    data: dict[str, Any] = {
        **settings,
        "task": {"data": f"python:{task.name}"} if isinstance(task, Task) else _section(task, "data"),
        "models": {
            role: {"model": own[role].client.identity} if role in own else _section(model, "model")
            for role, model in roles.items()
        },
        "method": "gpo" if isinstance(method, Method | ComposedMethod) else method,
    }
    if prompt is not None:
        data["prompt"] = prompt
    if prompts is not None:
        data["prompts"] = check_parts(prompts)
    config = parse_config(data, source=source)
    if begun is not None:
        config = keep_layout(config, begun)
    return assemble(
        config,
        base_dir=Path(),
        data_dir=paths.in_home(data_dir) if data_dir else paths.data_dir(),
        task=task if isinstance(task, Task) else None,
        models=own,
        method_object=method if isinstance(method, Method | ComposedMethod) else None,
    )


def _roles(
    models: Mapping[str, ModelLike] | ModelLike, task: Task | Mapping[str, Any] | str
) -> Mapping[str, Any]:
    """The models by role. A program that does its own work takes the place of the task model."""
    identity = task.program.identity if isinstance(task, Task) and task.program else ""
    own = name_function(identity) if identity else None
    if isinstance(models, Mapping) and ("task" in models or (own and "optimizer" in models)):
        return {**models, "task": own} if own else models
    return {"task": own or models, "optimizer": models}


def _own_model(role: str, function: Callable[..., Any]) -> OpenModel:
    # The name of a function does not pin its answers, so the user's store must not answer for it.
    # Each time that it is asked is a call: a cap on calls counts them all.
    queue = RoleQueue(EndpointLimiter(THREADS), THREADS)
    return OpenModel(
        client=CallableModel(function), queue=queue, retry=None, cost=lambda tokens: None, shareable=False
    )


def _section(value: Any, key: str) -> Any:
    return dict(value) if isinstance(value, Mapping) else {key: value}
