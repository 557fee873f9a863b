"""Streams that are closed, full or read by nobody: no traceback, and no run that ends for that."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.gpo import MAIN
from tests.reliability.support import configuration, landscape_server, write_rows
from tests.support import forked

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")

FULL = "import os; os.dup2(os.open('/dev/full', os.O_WRONLY), {}); "
# What an interpreter does that is started without the stream.
CLOSED = "import os, sys; os.close({}); sys.{} = None; "
LEFT = "import os; r, w = os.pipe(); os.dup2(w, 2); os.close(r); os.close(w); "


@pytest.mark.parametrize("verb", ["tasks list", "--help"])
def test_a_full_disk_behind_stdout_is_one_line(verb: str, tmp_path: Path) -> None:
    done = forked.run(FULL.format(1) + MAIN, *verb.split(), cwd=tmp_path)
    assert done.returncode == 1
    # A short list fits into the buffer: then it fails at the end, behind what is said of the next step.
    assert done.stderr.splitlines()[-1] == "gpo: stdout cannot be written (No space left on device)"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", ["schema", "--help"])
def test_a_closed_stdout_is_no_fault(verb: str, tmp_path: Path) -> None:
    done = forked.run(CLOSED.format(1, "stdout") + MAIN, verb, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("before", [FULL.format(2), CLOSED.format(2, "stderr"), LEFT])
def test_a_run_whose_news_nobody_hears_is_whole(before: str, tmp_path: Path) -> None:
    with landscape_server() as server:
        write_rows(tmp_path)
        (tmp_path / "gpo.yaml").write_text(yaml.safe_dump(configuration(server.base_url, tmp_path)))
        done = forked.run(before + MAIN, "optimize", "--run-dir", "run", "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout)["status"] == "complete"
    assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "complete"


def test_an_error_that_nobody_hears_has_its_code(tmp_path: Path) -> None:
    for before in (FULL.format(2), CLOSED.format(2, "stderr")):
        done = forked.run(before + MAIN, "optimize", "nowhere.yaml", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")


def test_a_file_never_stands_where_a_closed_stream_was(tmp_path: Path) -> None:
    """Else what a library writes to descriptor 2 would go into a journal."""
    code = """
import os, sys
os.close(0), os.close(2)
sys.stdin = sys.stderr = None
from gpo.cli.shared.streams import prepare_streams
prepare_streams()
print(os.open('file', os.O_CREAT | os.O_RDWR) > 2)
"""
    assert forked.run(code, cwd=tmp_path).stdout == "True\n"
