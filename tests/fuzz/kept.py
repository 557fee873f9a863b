"""Where inputs are kept: the repository's corpus, which every test run replays, and the folder of fuzz runs."""

from __future__ import annotations

import fcntl
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
"""CORPUS/TARGET/NAME: `fixed-…` are inputs that once found a fault, the others were chosen for what they cover."""

WORK = HERE.parents[1] / "build" / "fuzz"
"""WORK/TARGET/corpus grows from run to run; WORK/TARGET/findings holds what failed."""

LEDGER = HERE / "runs.jsonl"
"""A line a run: what was really measured."""

MOST_BYTES = 40_000
"""Of a target's chosen inputs in the repository, all together."""
MOST_FILES = 100


def kept(target: str) -> Iterator[Path]:
    """The repository's inputs of a target, in the order of their names."""
    yield from sorted(path for path in (CORPUS / target).glob("*") if path.is_file())


def work(target: str, part: str) -> Path:
    """A working folder, made where there is none."""
    folder = WORK / target / part
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def alone(target: str) -> Iterator[None]:
    """Nobody else fuzzes `target` here meanwhile: two would share, and tear, the file of the last input."""
    (WORK / target).mkdir(parents=True, exist_ok=True)
    with (WORK / target).joinpath("lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit(f"another process fuzzes {target}")
        yield


def put(folder: Path, data: bytes, prefix: str = "") -> Path:
    """Write an input under a name made of its content."""
    path = folder / f"{prefix}{hashlib.blake2b(data, digest_size=6).hexdigest()}"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return path


def keep(target: str, chosen: list[Path]) -> int:
    """Replace the chosen inputs of the repository by the smallest of `chosen`; the `fixed-…` ones stay. Returns how
    many there are now."""
    contents = sorted({path.read_bytes() for path in chosen if not path.name.startswith("fixed-")}, key=len)
    for path in kept(target):
        if not path.name.startswith("fixed-"):
            path.unlink()
    size = count = 0
    for data in contents[:MOST_FILES]:
        size += len(data)
        if size > MOST_BYTES:
            break
        put(CORPUS / target, data)
        count += 1
    return count


def note(line: dict[str, Any]) -> None:
    """Add a line to the ledger."""
    with LEDGER.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def noted() -> list[dict[str, Any]]:
    """The ledger."""
    if not LEDGER.exists():
        return []
    return [json.loads(line) for line in LEDGER.read_text(encoding="utf-8").splitlines()]
