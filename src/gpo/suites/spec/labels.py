"""Labels of entries: what the rows and columns of a table are called."""

from __future__ import annotations

from collections.abc import Sequence

from gpo.errors import ConfigError


def check_different(labels: Sequence[str], key: str, source: str) -> None:
    """Raise the `ConfigError` for a label that two entries of `key` have."""
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise ConfigError(f"{source}: {key}: {twice[0]!a} stands twice; give one of them a label")
