"""What a run records of its configuration and its task, and goes on with only while it is the same.

Opens no model: a complete run is known again without one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpo.config.schema import Config, MethodConfig
from gpo.run.identity.code_fingerprint import fingerprint_code
from gpo.run.identity.task_identity import identity, template_digest
from gpo.task.task import Task

if TYPE_CHECKING:
    from gpo.optimizer.methods import ComposedMethod, Method


def set_frame(task: Task, config: Config) -> Task:
    """`task` in the frame of an old run, or in that of the authors' code, unless it has one of its own."""
    if task.frame is None and config.layout == 1:
        return replace(task, frame="qa")
    return replace(task, frame="plain") if task.frame is None and config.preset == "released" else task


def record_configured(config: Config, task: Task, base_dir: Path) -> dict[str, Any]:
    """As `record_config`, for a task and a method that are as `config` says. Raises `ConfigError`."""
    method = None
    if isinstance(config.method, MethodConfig):
        from gpo.optimizer.methods import compose_own

        method = compose_own(config.method, base_dir)
    return record_config(config, task, method, base_dir, own_task=False)


def record_config(
    config: Config,
    task: Task,
    method_object: Method | ComposedMethod | None,
    base_dir: Path,
    *,
    own_task: bool,
) -> dict[str, Any]:
    """JSON values: `config` with digests of the data, the templates and the code that it names. `own_task`: `config`
    does not describe the task."""
    recorded = {**config.model_dump(mode="json"), **identity(task, whole=own_task)}
    if config.optimize.meta_prompt:
        recorded["template_digest"] = template_digest(base_dir / config.optimize.meta_prompt)
    if method_object is not None:
        recorded |= _record_method(method_object)
    return recorded


def _record_method(method: Method | ComposedMethod) -> dict[str, Any]:
    from gpo.optimizer.methods import ComposedMethod

    if isinstance(method, ComposedMethod):
        return {
            "method": {place: _known_by(part) for place, part in method.parts.items()},
            "part_code": {place: _code_of(part) for place, part in method.parts.items()},
        }
    parts = (method.information, method.trajectory, method.edit_distance, method.refinement)
    return {"method": [_known_by(part) for part in parts], "part_code": [_code_of(part) for part in parts]}


def _known_by(part: object) -> str:
    return part if isinstance(part, str) else type(part).__qualname__


def _code_of(part: object) -> str:
    return fingerprint_code(part, helpers=True)
