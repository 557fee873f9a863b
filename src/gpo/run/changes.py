"""What differs between the configuration of a run and the one it is to be continued with.

Knows no meaning of any key but which of them cannot change a result.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

HARMLESS = (
    ("models", "*", "concurrency"),
    ("models", "*", "timeout"),
    ("models", "*", "api_key_env"),
    ("models", "*", "price"),
    ("budget",),
)
"""Keys (and all below them) that may change between a run and its continuation."""

_ABSENT = object()


def changed_keys(recorded: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    """The dotted keys whose values differ, each with both values where they are short, `HARMLESS` ones left
    out. Both are resolved configurations as JSON has them (tuples count as lists)."""
    before, after = (json.loads(json.dumps(config)) for config in (recorded, current))
    return list(_differences(before, after, ()))


def _differences(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[str]:
    if any(_matches(pattern, path) for pattern in HARMLESS):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _differences(before.get(key, _ABSENT), after.get(key, _ABSENT), (*path, key))
    elif before != after:
        yield ".".join(path) + _shown(before, after)


def _matches(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return len(pattern) == len(path) and all(
        want in ("*", have) for want, have in zip(pattern, path, strict=True)
    )


def _shown(before: Any, after: Any) -> str:
    texts = ["absent" if value is _ABSENT else json.dumps(value) for value in (before, after)]
    return f" (was {texts[0]}, now {texts[1]})" if all(len(text) <= 40 for text in texts) else ""
