"""Results as lines of JSON, each written when it is measured: a program that is started again does not measure it anew.

The first line says the command, the date, the machine and the settings.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.results import code_digest, machine, versions
from gpo.errors import RunError


class Lines:
    """The lines in `path`, told apart by the fields `key`. Raises `RunError` where the file was made under other
    `settings`: measurements of two kinds are not mixed."""

    def __init__(self, path: Path, *, command: str, settings: Mapping[str, Any], key: Sequence[str]) -> None:
        self.path = path
        self._key = tuple(key)
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        found = read_lines(path) if path.exists() else []
        if found and found[0].get("settings") != json.loads(json.dumps(settings)):
            raise RunError(
                f"{path}: was measured under other settings ({found[0].get('settings')}); choose another file"
            )
        self.items = found[1:]
        if not found:
            head = {
                "command": command,
                "date": datetime.now(UTC).date().isoformat(),
                "machine": machine(),
                "versions": versions(("numpy", "dspy", "gepa", "promptolution")),
                "code": code_digest(),
                "settings": settings,
            }
            path.write_text(json.dumps(head) + "\n", encoding="utf-8")
        elif found:
            # A line that a kill cut in two is measured again.
            path.write_text("".join(json.dumps(item) + "\n" for item in found), encoding="utf-8")

    def find(self, **key: Any) -> dict[str, Any] | None:
        """The line with these fields."""
        return next((item for item in self.items if key.items() <= item.items()), None)

    def add(self, item: Mapping[str, Any]) -> None:
        """Keep a line; from any thread. Raises `ValueError` for one that is there."""
        with self._lock:
            if self.find(**{name: item[name] for name in self._key}) is not None:
                raise ValueError("measured twice")
            self.items.append(dict(item))
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(item, ensure_ascii=True) + "\n")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Head and lines of `path`; what is no object is left out."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found
