"""GPO's functions for Python."""

from gpo.api.functions import aevaluate, aoptimize, evaluate, methods, optimize

__all__ = ["aevaluate", "aoptimize", "evaluate", "methods", "optimize"]
