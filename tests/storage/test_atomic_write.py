"""A file is written whole or not at all, also where the disk or the file system does not do as asked."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from gpo.errors import RunError
from gpo.storage.atomic_write import write_atomically


def fail_to_sync(monkeypatch: pytest.MonkeyPatch, *, folders: bool) -> None:
    """Syncing folders, or files, fails from now on."""
    sync = os.fsync

    def failing(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode) is folders:
            raise OSError(errno.EIO, "no sync here")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not synced there")
def test_a_file_system_that_syncs_no_folders_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_to_sync(monkeypatch, folders=True)
    write_atomically(tmp_path / "result.json", b"new")
    assert (tmp_path / "result.json").read_bytes() == b"new"


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "result.json").write_bytes(b"old")
    fail_to_sync(monkeypatch, folders=False)
    with pytest.raises(RunError, match=r"result\.json: cannot be written \(no sync here\)"):
        write_atomically(tmp_path / "result.json", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
    assert (tmp_path / "result.json").read_bytes() == b"old"


@pytest.mark.skipif(sys.platform == "win32", reason="needs permissions")
def test_a_private_file_is_its_owners_alone(tmp_path: Path) -> None:
    write_atomically(tmp_path / "prompt.txt", b"mine", private=True)
    assert stat.S_IMODE((tmp_path / "prompt.txt").stat().st_mode) == 0o600
