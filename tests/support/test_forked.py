"""A forked program is what `python -c` would have made of it: its streams, folder, environment, session and end."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support import forked

SHOWN = """
import os, sys
print(sys.argv[1:], os.getcwd(), os.environ["OWN"], os.getsid(0) == os.getpid(), sys.stdin.read() == "")
print("aside", file=sys.stderr)
import beside
sys.exit(3)
"""


def test_it_has_all_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("print('found')")
    done = forked.run(SHOWN, "a b", tmp_path, cwd=tmp_path, env={**os.environ, "OWN": "x"})
    assert done.stdout == f"{['a b', str(tmp_path)]} {tmp_path} x True True\nfound\n"
    assert (done.stderr, done.returncode) == ("aside\n", 3)
    assert "OWN" not in forked.run("import os; print(*os.environ)").stdout.split()


def test_an_error_is_a_traceback_and_exit_code_1() -> None:
    done = forked.run("import atexit; atexit.register(print, 'left'); 1 / 0")
    assert done.returncode == 1
    assert done.stdout == "left\n"
    assert done.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_signal_ends_it_and_is_its_exit_code(number: int) -> None:
    process = forked.start("import time; print('up', flush=True); time.sleep(60)")
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    assert process.poll() is None
    os.killpg(process.pid, number)
    assert process.communicate(timeout=20) == ("", "")
    assert process.poll() == process.returncode == -number
    process.send_signal(number)
