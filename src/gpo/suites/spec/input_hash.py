"""A hash of the files beside a configuration that decide a run's result: rows, an own metric, a program, own
templates.

Reads bytes and understands none of them; with other bytes it is another run.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import Path

from gpo.config.parts import find_target
from gpo.config.schema import Config, MethodConfig
from gpo.paths import in_home
from gpo.suites.spec.row_counts import row_files


def hash_inputs(config: Config, base_dir: Path, data_dir: Path | None) -> str:
    """Of all files that `config` names; "" where it names none. Whoever reads a file says what is wrong with it."""
    parts = [_hash_files(_data(config, base_dir, data_dir))]
    if (module := _own_module(config.task.metric, base_dir)) is not None:
        parts.append(f"metric {_hash_files([module])}")
    if config.task.program and (module := _own_module(config.task.program, base_dir)) is not None:
        parts.append(f"program {_hash_files([module])}")
    if modules := [found for path in own_parts(config) if (found := _own_module(path, base_dir)) is not None]:
        parts.append(f"parts {_hash_files(modules)}")
    if config.optimize.meta_prompt:
        parts.append(f"templates {_hash_files([base_dir / config.optimize.meta_prompt])}")
    return " ".join(parts)


def _data(config: Config, base_dir: Path, data_dir: Path | None) -> list[Path]:
    from gpo.task import benchmarks

    data = config.task.data
    if isinstance(data, str) and data_dir is not None and benchmarks.looks_like_benchmark(data):
        base_dir = data_dir
    names = sorted(data.values()) if isinstance(data, dict) else [data]
    return [base_dir / in_home(name) for name in names]


def _hash_files(paths: Iterable[Path]) -> str:
    hasher = hashlib.blake2b(digest_size=16)
    try:
        files = [
            file
            for path in paths
            for file in (row_files(path) or sorted(path.iterdir()) if path.is_dir() else [path])
            if file.is_file() and not file.name.startswith(".")
        ]
        for file in files:
            hasher.update(f"{file.name}\n".encode("utf-8", "surrogatepass"))
            hasher.update(hashlib.blake2b(file.read_bytes(), digest_size=16).digest())
    except OSError:
        return ""
    return hasher.hexdigest() if files else ""


def own_parts(config: Config) -> list[str]:
    """`module:Class` of each own part of the method."""
    if not isinstance(config.method, MethodConfig):
        return []
    parts = config.method.model_dump().items()
    return [target for place, value in parts if (target := find_target(place, value))]


def _own_module(path: str, base_dir: Path) -> Path | None:
    """The file of an own metric or part, found as it will be imported and without importing it."""
    name, colon, _ = path.partition(":")
    if not colon:
        return None
    folders: list[str] | None = [str(base_dir.resolve()), *sys.path]
    origin: str | None = None
    whole = ""
    for part in name.split("."):
        whole = f"{whole}.{part}" if whole else part
        found = PathFinder.find_spec(whole, folders) if folders is not None else None
        if found is None:
            return None
        origin = found.origin if found.has_location else None
        slots = found.submodule_search_locations
        folders = None if slots is None else list(slots)
    return None if origin is None else Path(origin)
