"""Laying the parts of a suite over each other, and remembering on which line of its file every key was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gpo.config.load import KeyPath


@dataclass(frozen=True, slots=True)
class Composed:
    """A configuration so far; `lines` by key path."""

    data: dict[str, Any] = field(default_factory=dict, hash=False)
    lines: dict[KeyPath, int] = field(default_factory=dict, hash=False)

    def add(
        self, part: Mapping[str, Any], lines: Mapping[KeyPath, int], prefix: KeyPath, *, cut: int = 0
    ) -> Composed:
        """Lay `part` over this, key by key; a dotted key names a nested one.

        `lines` knows the lines of the file by key path. `part` is written there under `prefix`, and without the first
        `cut` keys of its own paths.
        """
        nested: dict[str, Any] = {}
        told: dict[KeyPath, int] = {}
        for path, value in _leaves(part, ()):
            written = path
            keys = tuple(key for dotted in path for key in dotted.split("."))
            _put(nested, keys, value)
            for depth in range(len(written), -1, -1):
                line = lines.get((*prefix, *written[cut:depth]))
                if line is None:
                    continue
                told.setdefault(keys, line)
                # What holds the key too: of one that is missing nothing else can be named.
                told[tuple(key for dotted in written[:depth] for key in dotted.split("."))] = line
        return Composed(_merge(self.data, nested), {**self.lines, **told})

    def without(self, *keys: str) -> Composed:
        """This without some of the outermost keys."""
        return Composed({key: value for key, value in self.data.items() if key not in keys}, self.lines)


def _leaves(part: Mapping[str, Any], path: KeyPath) -> list[tuple[KeyPath, Any]]:
    found: list[tuple[KeyPath, Any]] = []
    for key, value in part.items():
        here = (*path, str(key))
        found += _leaves(value, here) if isinstance(value, Mapping) and value else [(here, value)]
    return found


def _put(data: dict[str, Any], keys: KeyPath, value: Any) -> None:
    for key in keys[:-1]:
        inner = data.get(key)
        if not isinstance(inner, dict):
            inner = data[key] = {}
        data = inner
    data[keys[-1]] = value


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        # A method is one choice: its options are not laid over those of another one.
        both = isinstance(value, dict) and key != "method"
        result[key] = _merge(old, value) if both and isinstance(old, dict) else value
    return result
