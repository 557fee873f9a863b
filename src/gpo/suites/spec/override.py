"""`--set` for a suite, whose models and settings have names that people chose and that may hold dots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpo.config.load import apply_override


def override(data: dict[str, Any], text: str) -> None:
    """Set one key of `data` to the value in `text`, "key.path=value": of the keys that are there the longest one that
    fits is meant. Raises `ConfigError` for another form."""
    path, equals, raw = text.partition("=")
    here, rest = data, path.strip()
    if not equals or not all(rest.split(".")):
        apply_override(data, text)  # which says what it must look like
    while (key := _longest(here, rest)) is not None:
        if key == rest:
            holder: dict[str, Any] = {}
            apply_override(holder, f"value={raw}")
            here[key] = holder["value"]
            return
        if not isinstance(here[key], dict):
            break
        here, rest = here[key], rest[len(key) + 1 :]
    apply_override(here, f"{rest}={raw}")


def _longest(keys: Mapping[Any, Any], path: str) -> str | None:
    """The longest of `keys` that `path` begins with, followed by a dot or by nothing."""
    fit = (key for key in keys if isinstance(key, str) and (path == key or path.startswith(f"{key}.")))
    return max(fit, key=len, default=None)
