"""Reads a task's YAML: includes are resolved, and functions that it names are kept as names and never imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gpo.config.load import parse_yaml
from gpo.errors import ConfigError

DEEPEST = 10
"""Files that include each other."""


@dataclass(frozen=True, slots=True)
class Code:
    """A function of the harness's side (`!function module.name`), which is not run."""

    name: str


class _Loader(yaml.SafeLoader):
    """SafeLoader that takes `!function`."""


_Loader.add_constructor("!function", lambda loader, node: Code(str(node.value)))


def read_yaml(path: Path, deep: int = 0) -> dict[str, Any]:
    """The keys of a task's file, its own over those of the files that it includes. Raises `ConfigError` with one
    line."""
    if deep > DEEPEST:
        raise ConfigError(f"{path}: includes go round, or deeper than {DEEPEST} files")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is no text"
        raise ConfigError(f"{path}: cannot be read ({reason})") from None
    # First as any YAML of ours: what stands twice, and aliases that expand without end, are refused.
    parse_yaml(text.replace("!function ", "!!str "), str(path))
    own: Any = yaml.load(text, Loader=_Loader)
    included = own.pop("include", None)
    found: dict[str, Any] = {}
    for name in [included] if isinstance(included, str) else included or []:
        found |= read_yaml(path.parent / str(name), deep + 1)
    return {**found, **own}
