"""GPO as an optimizer of DSPy: `GPO(metric=…).compile(student, trainset=…)`."""

from __future__ import annotations

from typing import Any

__all__ = ["GPO"]


def __getattr__(name: str) -> Any:
    # A class of DSPy's with another base: its module loads DSPy, which takes seconds.
    if name == "GPO":
        from gpo.extras import require

        require("dspy", "dspy", "gpo.integrations.dspy.GPO")
        from gpo.integrations.dspy.optimizer import GPO

        return GPO
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
