"""Python programs in processes of their own that are spared the imports: they are forked from one that has made them.

`run(code, …)` and `start(code, …)` are `subprocess.run` and `subprocess.Popen` of `python -c code …`, in a tenth of
the time. The program gets its own environment, folder, session and streams, and ends as any other. What it cannot
have is a hash seed of its own; one that asks for it, and a machine without fork, get a new interpreter.

This file run as a program is the process that forks.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any, Self

ROOT = Path(__file__).resolve().parents[2]
_lock = threading.Lock()
_leaving: list[Callable[[], None]] = []


class Process:
    """A program that was started; what a test asks of a `Popen`. `pid` leads a process group of its own."""

    def __init__(self, pid: int, status: socket.socket, stdout: IO[str], stderr: IO[str]) -> None:
        self.pid = pid
        self.stdout = stdout
        self.stderr = stderr
        self.returncode: int | None = None
        self._status = status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.wait()
        self.stdout.close()
        self.stderr.close()

    def __del__(self) -> None:
        # One that a test has left behind, killed for instance.
        for open_one in (self.stdout, self.stderr, self._status):
            open_one.close()

    def poll(self) -> int | None:
        """The exit status, as `Popen` says it, or None while it runs."""
        return self._look(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit status. Raises `TimeoutExpired`."""
        if self._look(timeout) is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        """Send a signal to this process alone, unless it is over."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that it writes, and its end. Raises `TimeoutExpired`, and leaves it running then."""
        told = ["", ""]
        ends = None if timeout is None else time.monotonic() + timeout

        def left() -> float | None:
            return None if ends is None else max(0.0, ends - time.monotonic())

        def read(number: int, stream: IO[str]) -> None:
            with stream:
                told[number] = stream.read()

        readers = [
            threading.Thread(target=read, args=(number, stream), daemon=True)
            for number, stream in enumerate((self.stdout, self.stderr))
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(left())
            if reader.is_alive():
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        self.wait(left())
        return told[0], told[1]

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            self._status.settimeout(timeout if timeout is None or timeout > 0 else 0.000001)
            try:
                said = self._status.recv(64)
            except (TimeoutError, BlockingIOError):
                return None
            self._status.close()
            assert said, "the process that forks is gone"
            self.returncode = os.waitstatus_to_exitcode(int(said))
        return self.returncode


Started = Process | subprocess.Popen[str]


def start(
    code: str, *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Started:
    """The program `code` with `arguments` in `sys.argv[1:]`; in this process's folder and environment without them."""
    environment = dict(os.environ if env is None else env)
    given = [str(argument) for argument in arguments]
    if not hasattr(os, "fork") or "PYTHONHASHSEED" in environment:
        return subprocess.Popen(
            [sys.executable, "-c", code, *given],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    ours, theirs = socket.socketpair()
    pipes = [os.pipe(), os.pipe()]
    order = json.dumps(
        {"code": code, "arguments": given, "cwd": str(cwd or Path.cwd()), "env": environment}
    ).encode()
    with _lock:
        server = _server()
        server.sendall(len(order).to_bytes(4))
        socket.send_fds(server, [b"!"], [pipes[0][1], pipes[1][1], theirs.fileno()])
        server.sendall(order)
    theirs.close()
    for _, written in pipes:
        os.close(written)
    out, err = (os.fdopen(read, encoding="utf-8") for read, _ in pipes)
    told = ours.recv(8)
    assert len(told) == 8, "the process that forks is gone"
    return Process(int.from_bytes(told), ours, out, err)


def run(
    code: str,
    *arguments: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 100,
) -> subprocess.CompletedProcess[str]:
    """The program's end and all that it wrote. Raises `TimeoutExpired`, and ends it then."""
    process = start(code, *arguments, cwd=cwd, env=env)
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode is not None
    return subprocess.CompletedProcess(["python", *map(str, arguments)], process.returncode, stdout, stderr)


@cache
def _server() -> socket.socket:
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.forked", str(theirs.fileno())],
        cwd=ROOT,
        pass_fds=[theirs.fileno()],
        start_new_session=True,
    )
    theirs.close()

    def leave() -> None:
        ours.close()
        process.wait(10)

    _leaving.append(leave)
    return ours


def shut_down() -> None:
    """End the process that forks, where there is one."""
    while _leaving:
        _leaving.pop()()
    _server.cache_clear()


def _serve(orders: socket.socket) -> dict[str, Any]:
    """Fork for each order until there are no more; returns, in the new process alone, what it is to run."""
    import importlib
    import pkgutil

    import gpo

    for module in pkgutil.walk_packages(gpo.__path__, "gpo."):
        # Those of other tools need them installed.
        if not module.name.endswith("__main__") and not module.name.startswith("gpo.integrations"):
            importlib.import_module(module.name)
    assert threading.active_count() == 1, "a process with threads cannot be forked"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while size := orders.recv(4, socket.MSG_WAITALL):
        _, (stdout, stderr, status), _, _ = socket.recv_fds(orders, 1, 3)
        order: dict[str, Any] = json.loads(orders.recv(int.from_bytes(size), socket.MSG_WAITALL))
        if os.fork() == 0:
            orders.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if _wait_for_child(status):
                os.dup2(stdout, 1)
                os.dup2(stderr, 2)
                for number in (stdout, stderr):
                    os.close(number)
                return order
        for number in (stdout, stderr, status):
            os.close(number)
    os._exit(0)


def _wait_for_child(status: int) -> bool:
    """True in a new process with a session of its own; the caller tells its number and how it ended, and ends."""
    os.setsid()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(status)
        return True
    os.closerange(3, status)
    os.closerange(status + 1, 256)
    os.write(status, child.to_bytes(8))
    _, ended = os.waitpid(child, 0)
    try:
        os.write(status, str(ended).encode())
    except OSError:
        pass
    os._exit(0)


def _become(order: Mapping[str, Any]) -> None:
    """Make this process what `python -c` would have made of it."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.chdir(order["cwd"])
    more = order["env"].get("PYTHONPATH", "")
    added = [path for path in more.split(os.pathsep) if path and path not in sys.path]
    os.environ.clear()
    os.environ.update(order["env"])
    sys.path[:1] = ["", *added]
    sys.argv = ["-c", *order["arguments"]]


if __name__ == "__main__":
    found = _serve(socket.socket(fileno=int(sys.argv[1])))
    _become(found)
    exec(compile(found["code"], "<string>", "exec"), {"__name__": "__main__"})
