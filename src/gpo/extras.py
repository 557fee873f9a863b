"""What is not part of a light installation: whether it is there, and the line that says how to get it."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from gpo.errors import ConfigError

DISTRIBUTION = "gpo-prompts"
"""The name that pip knows; the command and the import are `gpo`."""


@cache
def is_installed(module: str) -> bool:
    """Whether a top-level `module` can be imported; it is not imported for that."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def require(module: str, extra: str, what: str) -> None:
    """Raise the `ConfigError` that says how to get `module`, which `what` needs, where it is not installed."""
    if not is_installed(module):
        raise ConfigError(f"{what} needs {module}, which is not installed: {install(extra)}")


def install(extra: str) -> str:
    """The command that installs an extra."""
    return f'pip install "{DISTRIBUTION}[{extra}]"'
