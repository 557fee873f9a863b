"""Measurements on disk: one line each as it is made, so that a benchmark goes on where it stopped; at the end one JSON
file with the machine, the date and the versions."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gpo.extras import DISTRIBUTION

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().parent / "results"


@dataclass
class Session:
    """The measurements of benchmark `name` under `settings`. Those of an earlier, unfinished start count where they
    were made on the same day, machine, versions and code, under the same settings."""

    name: str
    settings: dict[str, Any]
    packages: Sequence[str] = ()
    folder: Path = RESULTS
    measurements: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.head = {
            "benchmark": self.name,
            "date": datetime.now(UTC).date().isoformat(),
            "machine": machine(),
            "versions": versions(self.packages),
            "code": code_digest(),
            "settings": self.settings,
        }
        lines = self._partial.read_text().splitlines() if self._partial.exists() else []
        # A line that a kill cut in two is measured again.
        found = [value for line in lines if (value := _read(line)) is not None]
        if found and found[0] == self.head:
            self.measurements = found[1:]
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._partial.write_text(json.dumps(self.head) + "\n")

    @property
    def _partial(self) -> Path:
        return self.folder / f"{self.name}.partial.jsonl"

    def known(self, **key: Any) -> bool:
        """Whether there is a measurement with all of `key`."""
        return any(key.items() <= item.items() for item in self.measurements)

    def add(self, measurement: dict[str, Any]) -> None:
        """Keep a measurement."""
        self.measurements.append(measurement)
        with self._partial.open("a") as file:
            file.write(json.dumps(measurement) + "\n")

    def finish(self, summary: Any) -> Path:
        """Write the result and forget the unfinished one; returns the result's path."""
        path = self.folder / f"{self.name}-{self.head['date']}.json"
        content = {**self.head, "summary": summary, "measurements": self.measurements}
        path.write_text(json.dumps(content, indent=1) + "\n")
        self._partial.unlink()
        return path

    def forget(self) -> None:
        """Begin anew."""
        self.measurements.clear()
        self._partial.write_text(json.dumps(self.head) + "\n")


def machine() -> dict[str, Any]:
    """What the figures depend on, without the machine's name."""
    found = {"system": platform.system(), "cpu": _cpu_model(), "cores": os.cpu_count()}
    if hasattr(os, "sched_getaffinity"):
        found["cores"] = len(os.sched_getaffinity(0))
    if hasattr(os, "sysconf"):
        found["memory_gib"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    return found


def versions(packages: Sequence[str]) -> dict[str, str | None]:
    """Python's version and those of `packages`, None where one is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(DISTRIBUTION if name == "gpo" else name)
        except PackageNotFoundError:
            found[name] = None
    return found


def code_digest() -> str:
    """A hash of the package and the benchmarks: measurements of two states of the code are not mixed."""
    hasher = hashlib.blake2b(digest_size=8)
    for folder in (ROOT / "src" / "gpo", Path(__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            hasher.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return hasher.hexdigest()


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _read(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def say(line: str = "") -> None:
    """A line for a person."""
    sys.stderr.write(line + "\n")
