"""A run directory as bytes, for machines that share no folder, and its answers into this machine's store of calls."""

from __future__ import annotations

import os
import shutil
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from gpo.errors import RunError
from gpo.storage.journal_reader import JournalReader
from gpo.storage.regular_file import PRIVATE_FOLDER, open_regular, read_regular
from gpo.storage.shared_store import SharedStore

Parcel = dict[str, bytes]
"""Path under the run directory, with `/`, to the file's compressed content."""

LIMIT = 512 * 2**20
"""Bytes of all files of one run directory, not compressed; a paper-sized run has a few MB."""
_MOST_FILES = 1000
# A journal that was cut off keeps its last answers in "-wal": that one goes along.
_PASSING = ("-shm", ".tmp", ".lock")
_LEADING_OUT = ("\\", ":", "\0")


def pack(directory: Path, limit: int = LIMIT) -> Parcel:
    """The files of a run that nobody is working on; links are left out. Raises `RunError` where they are more than
    `limit` bytes, or cannot be read."""
    parcel: Parcel = {}
    total = 0
    try:
        for path in sorted(directory.rglob("*")):
            if path.is_symlink() or not path.is_file() or path.name.endswith(_PASSING):
                continue
            content = read_regular(path, limit)
            total += len(content)
            if total > limit or len(parcel) >= _MOST_FILES:
                raise RunError(
                    f"{directory}: holds more than {limit / 2**20:g} MiB or {_MOST_FILES} files, too much to send; "
                    "give the machines a folder that they share"
                )
            parcel[path.relative_to(directory).as_posix()] = zlib.compress(content, 1)
    except OSError as error:
        raise RunError(f"{directory}: cannot be read ({error.strerror})") from error
    return parcel


def unpack(parcel: Mapping[str, bytes], directory: Path, limit: int = LIMIT) -> None:
    """Put the files of `parcel` into `directory`, in place of all that was there, at once or not at all.

    Another machine sent it: names that lead out of the folder, links and more than `limit` bytes are a `RunError`.
    """
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
        try:
            _write(parcel, fresh, directory, limit)
            _swap(fresh, directory)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except (OSError, ValueError) as error:
        # A name that no file can have, such as one with half a surrogate pair, is a ValueError.
        reason = getattr(error, "strerror", None) or error
        raise RunError(f"{directory}: what was sent back cannot be written ({reason})") from error


def merge_calls(directory: Path, store: SharedStore) -> int:
    """Put the deterministic answers that the run in `directory` paid for into `store`; returns how many they are.
    Raises `RunError` where its journal is damaged."""
    merged = 0
    for journal in sorted(directory.rglob("journal.sqlite")):
        with JournalReader(journal) as reader:
            for call in reader.calls():
                reply = call.reply
                if call.request.temperature == 0 and reply.source == "sent" and reply.call:
                    store.put(reply.call, reply)
                    merged += 1
    return merged


def _write(parcel: Mapping[str, bytes], fresh: Path, directory: Path, limit: int) -> None:
    left = limit
    if len(parcel) > _MOST_FILES:
        raise RunError(f"{directory}: {len(parcel)} files were sent back, which are too many")
    for name, content in parcel.items():
        slot = PurePosixPath(name)
        if (
            slot.is_absolute()
            or not slot.parts
            or ".." in slot.parts
            or any(sign in name for sign in _LEADING_OUT)
        ):
            raise RunError(f"{directory}: a file named {name!a} was sent back, which leads elsewhere")
        inflater = zlib.decompressobj()
        try:
            data = inflater.decompress(content, left + 1)
        except zlib.error:
            raise RunError(f"{directory}: {name!a} came back damaged") from None
        if len(data) > left:
            raise RunError(f"{directory}: more than {limit / 2**20:g} MiB were sent back")
        if not inflater.eof:
            raise RunError(f"{directory}: {name!a} came back damaged")
        left -= len(data)
        target = fresh / slot
        target.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(open_regular(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
            file.write(data)


def _swap(fresh: Path, directory: Path) -> None:
    """SQLite's side files belong to one journal: the folder changes as a whole, never file by file."""
    fresh.chmod(PRIVATE_FOLDER)
    if not directory.exists():
        fresh.rename(directory)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{directory.name}-old-", dir=directory.parent))
    earlier = aside / "run"
    try:
        directory.rename(earlier)
        fresh.rename(directory)
    except BaseException as error:
        _put_back(earlier, directory, error)
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _put_back(earlier: Path, directory: Path, error: BaseException) -> None:
    """The earlier run in its place again; where that fails too it stays where it is, and the message says where."""
    if not earlier.exists():
        return
    try:
        earlier.rename(directory)
    except OSError:
        raise RunError(
            f"{directory}: what was sent back cannot be put there ({error}); the earlier run is in {earlier}"
        ) from error
