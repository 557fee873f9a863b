"""What identifies a run in its journal: the resolved configuration, digests of data and templates, the code of own
parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gpo.config.schema import Config
from gpo.optimizer.methods import ComposedMethod, Method
from gpo.run.identity.code_fingerprint import fingerprint_code
from gpo.run.identity.task_identity import identity, template_digest
from gpo.task.task import Task


def record_config(
    config: Config,
    task: Task,
    method_object: Method | ComposedMethod | None,
    base_dir: Path,
    *,
    own_task: bool,
) -> dict[str, Any]:
    recorded = {**config.model_dump(mode="json"), **identity(task, whole=own_task)}
    if config.optimize.meta_prompt:
        recorded["template_digest"] = template_digest(base_dir / config.optimize.meta_prompt)
    if isinstance(method_object, ComposedMethod):
        recorded["method"] = {place: _known_by(part) for place, part in method_object.parts.items()}
        recorded["part_code"] = {place: _code_of(part) for place, part in method_object.parts.items()}
    elif method_object is not None:
        parts = (
            method_object.information,
            method_object.trajectory,
            method_object.edit_distance,
            method_object.refinement,
        )
        recorded["method"] = [_known_by(part) for part in parts]
        recorded["part_code"] = [_code_of(part) for part in parts]
    return recorded


def _known_by(part: object) -> str:
    return part if isinstance(part, str) else type(part).__qualname__


def _code_of(part: object) -> str:
    return fingerprint_code(part, helpers=True)
