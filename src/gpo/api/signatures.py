"""What `help()` and an editor show of a function with many keywords, and what a wrong keyword is answered with."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from gpo.config.keywords import point_to
from gpo.errors import ConfigError
from gpo.options import keywords

F = TypeVar("F", bound=Callable[..., Any])


class _Left:
    """What a keyword is where it is left out, as signatures print it."""

    def __repr__(self) -> str:
        return "…"


def spell_out(options: type) -> Callable[[F], F]:
    """A decorator: the signature that people are shown has the keys of `options` in place of `**options`, and a keyword
    that is none of them raises a `ConfigError` which says where it belongs."""

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        plain = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        keys = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=_Left(), annotation=annotation)
            for key, annotation in keywords(options).items()
        ]
        checked = _checked(function, [parameter.name for parameter in (*plain, *keys)])
        checked.__signature__ = signature.replace(parameters=[*plain, *keys])  # type: ignore[attr-defined]
        return checked

    return decorate


def _checked(function: F, known: list[str]) -> F:
    """`function`, which says of an unknown keyword where it belongs before it misses another one."""
    name = f"gpo.{function.__name__}"

    def check(given: Mapping[str, Any]) -> None:
        for key in given:
            if key not in known:
                raise ConfigError(point_to(key, name, known))

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def asynchronous(*args: Any, **given: Any) -> Any:
            check(given)
            return await function(*args, **given)

        return cast(F, asynchronous)

    @functools.wraps(function)
    def synchronous(*args: Any, **given: Any) -> Any:
        check(given)
        return function(*args, **given)

    return cast(F, synchronous)
