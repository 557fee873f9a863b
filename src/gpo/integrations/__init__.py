"""GPO in tools that people have already: a module each, behind the extra of its name where it has one, loaded when it
is first used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["dspy", "inspect", "lm_eval", "mlflow", "wandb"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'gpo.integrations' has no attribute {name!r}")
    return import_module(f"gpo.integrations.{name}")


def __dir__() -> list[str]:
    return sorted(__all__)
