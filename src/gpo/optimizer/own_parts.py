"""Own parts that are named and not passed: `module:Class`, beside the configuration file or installed."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from gpo.config.parts import find_target
from gpo.errors import ConfigError


def load_part(place: str, value: str, base_dir: Path) -> object:
    """A new object of the class that `value` names, made without arguments, or the object itself where it names one.
    `base_dir` is searched for the module first. Raises `ConfigError` naming the place."""
    target = find_target(place, value)
    if target is None:
        raise ConfigError(f"method.{place}: {value!a} names no own part")
    found = _import(place, target, base_dir)
    if not isinstance(found, type):
        return found
    try:
        return found()
    except Exception as error:
        raise ConfigError(
            f"method.{place}: {target} cannot be made ({_said(error)}); it is called without arguments"
        ) from error


def _import(place: str, target: str, base_dir: Path) -> Any:
    module, _, attribute = target.partition(":")
    folder = str(base_dir.resolve())
    sys.path.insert(0, folder)
    try:
        found: Any = importlib.import_module(module)
        for name in attribute.split("."):
            found = getattr(found, name)
    except Exception as error:
        raise ConfigError(f"method.{place}: {target} cannot be imported ({_said(error)})") from error
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
    return found


def _said(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
