"""GPO: an LLM-based prompt optimizer, built part by part after gradient-based model optimizers.

    import gpo
    result = gpo.optimize(task=gpo.Task.from_csv("tickets.csv"), models={"task": …, "optimizer": …})

Names are loaded when they are first used, so that `import gpo` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpo.api import aevaluate, aoptimize, evaluate, methods, optimize
    from gpo.errors import BudgetError, ConfigError, DataError, GPOError
    from gpo.optimizer.methods import Method, method
    from gpo.result.result import Result
    from gpo.run.evaluate import Evaluation
    from gpo.run.progress import Progress
    from gpo.run.watcher import Watcher
    from gpo.task.task import Task

__all__ = [
    "BudgetError",
    "ConfigError",
    "DataError",
    "Evaluation",
    "GPOError",
    "Method",
    "Progress",
    "Result",
    "Task",
    "Watcher",
    "aevaluate",
    "aoptimize",
    "evaluate",
    "integrations",
    "method",
    "methods",
    "optimize",
]

_HOMES = {
    "BudgetError": "gpo.errors",
    "ConfigError": "gpo.errors",
    "DataError": "gpo.errors",
    "Evaluation": "gpo.run.evaluate",
    "GPOError": "gpo.errors",
    "Method": "gpo.optimizer.methods",
    "Progress": "gpo.run.progress",
    "Result": "gpo.result.result",
    "Task": "gpo.task.task",
    "Watcher": "gpo.run.watcher",
    "aevaluate": "gpo.api",
    "aoptimize": "gpo.api",
    "evaluate": "gpo.api",
    "method": "gpo.optimizer.methods",
    "methods": "gpo.api",
    "optimize": "gpo.api",
}


def __getattr__(name: str) -> Any:
    if name == "integrations":
        return import_module("gpo.integrations")
    if name not in _HOMES:
        raise AttributeError(f"module 'gpo' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
