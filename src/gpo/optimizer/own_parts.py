"""Own parts of a method: named as `module:Class`, beside the configuration file or installed, or passed as objects.

What one of them does wrong is one line that names it, whenever it is called.
"""

from __future__ import annotations

import importlib
import operator
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from gpo.config.parts import find_target
from gpo.errors import FOREIGN, ConfigError, GPOError
from gpo.optimizer.parts.edit_distance import EditDistance
from gpo.optimizer.parts.information import CurrentInformation
from gpo.optimizer.parts.trajectory import Shown, Trajectory
from gpo.optimizer.state import Information, Step, Visited

_MOST_WORDS = 10**9


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
    except FOREIGN as error:
        raise ConfigError(
            f"method.{place}: {target} cannot be made ({_said(error)}); it is called without arguments"
        ) from error


async def describe_current(part: CurrentInformation, step: Step) -> Information:
    """What `part` says of the current prompt. Raises `ConfigError` naming an own part that fails or says no such
    thing."""
    with _named("direction", part, "describe"):
        found: Any = await part.describe(step)
    texts = (found.prompt, found.reflection, found.notes) if isinstance(found, Information) else (0,)
    if not all(isinstance(text, str | None) for text in texts):
        _refuse("direction", part, "describe", found, "an Information with texts")
    told: Information = found
    return told


async def show_past(part: Trajectory, step: Step) -> Shown:
    """What `part` shows of the past. Raises `ConfigError` as `describe_current`."""
    with _named("trajectory", part, "show"):
        found: Any = await part.show(step)
    right = isinstance(found, Shown) and isinstance(found.summary, str | None)
    if not right or not all(isinstance(point, Visited) for point in found.earlier):
        _refuse("trajectory", part, "show", found, "a Shown of points of step.visited, or with a text")
    shown: Shown = found
    return shown


def limit_words(part: EditDistance, number: int, total: int) -> int | None:
    """How many words `part` lets change at step `number`. Raises `ConfigError` as `describe_current`."""
    with _named("edit_distance", part, "limit"):
        found: Any = part.limit(number, total)
    try:
        words = None if found is None else operator.index(found)
    except TypeError:
        words = -1
    if words is not None and not 0 <= words <= _MOST_WORDS:
        _refuse("edit_distance", part, "limit", found, "a whole number of words, or None")
    return words


@contextmanager
def _named(place: str, part: object, method: str) -> Iterator[None]:
    try:
        yield
    except GPOError:
        raise
    except FOREIGN as error:
        if type(part).__module__.partition(".")[0] == "gpo":
            raise  # a fault of GPO's, which its traceback tells best
        raise ConfigError(
            f"method.{place}: {type(part).__name__}.{method} failed ({_said(error)})"
        ) from error


def _refuse(place: str, part: object, method: str, found: object, wanted: str) -> NoReturn:
    shown = f" {found!r}" if isinstance(found, str | float) and len(str(found)) < 40 else ""
    raise ConfigError(
        f"method.{place}: {type(part).__name__}.{method} returned {type(found).__name__}{shown}; return {wanted}"
    )


def _import(place: str, target: str, base_dir: Path) -> Any:
    module, _, attribute = target.partition(":")
    folder = str(base_dir.resolve())
    sys.path.insert(0, folder)
    try:
        found: Any = importlib.import_module(module)
        for name in attribute.split("."):
            found = getattr(found, name)
    except FOREIGN as error:
        raise ConfigError(f"method.{place}: {target} cannot be imported ({_said(error)})") from error
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
    return found


def _said(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
