"""Ctrl-C in a script that calls `gpo.optimize`: no call leaves any more, and the same call goes on."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.support import forked
from tests.support.landscape import Landscape
from tests.support.server import ModelServer

from .interrupted import main


def start(kind: str, server: ModelServer, folder: Path) -> forked.Started:
    code = "import sys; from tests.api.interrupted import main; main(*sys.argv[1:])"
    environment = {**os.environ, "GPO_HOME": str(folder / "home")}
    return forked.start(code, kind, server.base_url, folder / "run", env=environment)


@pytest.mark.parametrize(
    "kind",
    [
        "wire",
        "async",
        pytest.param("sync", marks=pytest.mark.slow),
        pytest.param("await", marks=pytest.mark.slow),
    ],
)
def test_ctrl_c_ends_all_calls_and_the_same_call_goes_on(kind: str, tmp_path: Path) -> None:
    with ModelServer(answer=Landscape().answer, delay=0.02) as server:
        process = start(kind, server, tmp_path)
        while process.poll() is None and server.stats.finished < 30:
            time.sleep(0.001)
        server.gate.clear()  # the calls under way would never end by themselves
        while process.poll() is None and not server.stats.concurrent:
            time.sleep(0.001)
        at = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, told = process.communicate(timeout=30)
        calls, finished = server.stats.calls, server.stats.finished
        assert "KeyboardInterrupt" in told
        if kind != "await":
            (note,) = json.loads(out)
            assert str(tmp_path / "run") in note
        # The thread that waits hears of the signal within a moment; no call leaves after that.
        assert [call for call in server.log if call.at > at + 2] == []
        assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "interrupted"
        server.gate.set()
        time.sleep(0.1)
        assert server.stats.calls == calls
        server.delay = 0.0
        main(kind, server.base_url, str(tmp_path / "run"))
        # Cancelled beside `await`, or waited for in a thread, an answer can be lost on its way.
        assert server.stats.repeated <= (0 if kind in ("wire", "async") else 64)
        assert server.stats.finished > finished
        assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "complete"
