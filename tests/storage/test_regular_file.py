"""Why a file of a run folder cannot be opened."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gpo.errors import RunError
from gpo.storage.regular_file import read_regular


def test_a_regular_file_that_may_not_be_read_is_said_to_be_just_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> int:
        raise OSError(errno.EACCES, "Permission denied")

    path = tmp_path / "result.json"
    path.write_bytes(b"{}")
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(RunError, match=r"cannot be read \(Permission denied\)"):
        read_regular(path)
