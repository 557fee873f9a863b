"""GPO: an LLM-based prompt optimizer, built part by part after gradient-based model optimizers.

    import gpo
    result = gpo.optimize(task=gpo.Task.from_csv("tickets.csv"), models={"task": …, "optimizer": …})

Names are loaded when they are first used, so that `import gpo` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpo.api import aoptimize, evaluate, methods, optimize
    from gpo.errors import BudgetError, ConfigError, DataError, GPOError
    from gpo.optimizer.methods import Method
    from gpo.run.result import Result
    from gpo.task.task import Task

__all__ = [
    "BudgetError",
    "ConfigError",
    "DataError",
    "GPOError",
    "Method",
    "Result",
    "Task",
    "aoptimize",
    "evaluate",
    "methods",
    "optimize",
]

_HOMES = {
    "BudgetError": "gpo.errors",
    "ConfigError": "gpo.errors",
    "DataError": "gpo.errors",
    "GPOError": "gpo.errors",
    "Method": "gpo.optimizer.methods",
    "Result": "gpo.run.result",
    "Task": "gpo.task.task",
    "aoptimize": "gpo.api",
    "evaluate": "gpo.api",
    "methods": "gpo.api",
    "optimize": "gpo.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gpo' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
