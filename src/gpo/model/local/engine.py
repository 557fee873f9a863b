"""The process that serves an embedded model: started when first needed, watched, started again after a crash.

Requests go to the process itself. Safe to use from several threads and loops.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from gpo.errors import PermanentModelError
from gpo.model.local.slots import Slots

RESTARTS = 3
"""Crashes within `RESTART_WINDOW` seconds after which the engine is given up."""
RESTART_WINDOW = 600.0
LOAD_SECONDS = 300.0
MICRO_BATCH = 512
"""Tokens of one pass; a text's embedding is pooled over one."""
_KEPT_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How llama.cpp runs.

    `context` is in tokens a slot; `batch` and `micro_batch` are the tokens of one pass; `cache_mib` is the memory for
    prompts that no slot holds any more; with `embeddings` it answers /embeddings too, by the mean of the last
    layer over a text's tokens; `extra` sets more fields of xllamacpp's `CommonParams`.
    """

    slots: int = 16
    context: int = 2048
    threads: int = field(default_factory=lambda: physical_cores())
    batch: int = 2048
    micro_batch: int = MICRO_BATCH
    kv_unified: bool = False
    cache_mib: int = 0
    slot_similarity: float = 0.1
    verbosity: int = 1
    embeddings: bool = False
    extra: tuple[tuple[str, Any], ...] = ()


@dataclass(slots=True, eq=False)
class Server:
    """One life of the engine: `url` and `guidance` (whether it knows grammars of llguidance) hold once `ready` is set,
    `said` (its log) once `gone` is set at its end."""

    key: str
    url: str = ""
    guidance: bool = False
    said: str = ""
    process: subprocess.Popen[str] | None = None
    ready: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)


class Engine:
    """Keeps one engine process for the weights at `path`; `name` is for people and the server's list."""

    def __init__(self, path: Path, *, name: str, settings: EngineSettings | None = None) -> None:
        self.path = path
        self.name = name
        self.settings = settings or EngineSettings()
        self.slots = Slots(self.settings.slots)
        self._server: Server | None = None
        self._lock = threading.Lock()
        self._crashes: deque[float] = deque(maxlen=RESTARTS + 1)
        self._closed = False

    @property
    def server(self) -> Server | None:
        """The engine that is up now, or None (then `start`)."""
        server = self._server
        return server if server and server.ready.is_set() and not server.gone.is_set() else None

    def start(self) -> Server:
        """The running engine, started where there is none. Blocks while the model loads.

        Raises `PermanentModelError` when it cannot be started, or keeps crashing.
        """
        with self._lock:
            if self._closed:
                raise PermanentModelError(f"{self.name}: the engine is closed")
            if up := self.server:
                return up
            if self._server:
                self._note_crash(self._server)
            return self._launch()

    def close(self) -> None:
        """Stop the process; a start under way ends in an error. Idempotent."""
        self._closed = True
        server = self._server
        if server is None:
            return
        if server.process:
            server.process.kill()
            server.gone.wait(10)

    def _launch(self) -> Server:
        server = self._server = Server(key=secrets.token_urlsafe(24))
        threading.Thread(target=self._keep, args=(server,), daemon=True, name="gpo-engine").start()
        if not server.ready.wait(LOAD_SECONDS):
            if server.process:
                server.process.kill()
            raise PermanentModelError(
                f"{self.name}: the engine did not load the model in {LOAD_SECONDS:.0f} s"
            )
        if server.url:
            return server
        self._server = None
        if self._closed:
            raise PermanentModelError(f"{self.name}: the engine is closed")
        raise PermanentModelError(f"{self.name}: the engine did not start: {_reason(server.said)}")

    def _keep(self, server: Server) -> None:
        # One thread starts the child and outlives it: Linux kills a child with the thread that started it.
        try:
            # Without a name it leaves nothing behind, however this process ends.
            with tempfile.TemporaryFile() as log, self._spawn(log) as process:
                server.process = process
                if self._closed:
                    process.kill()
                server.url, server.guidance = self._greet(process, server.key)
                if server.url:
                    server.ready.set()
                else:
                    process.kill()
                process.wait()
                server.said = _tail(log)
        except OSError as error:
            server.said = f"{type(error).__name__}: {error}"
        finally:
            server.gone.set()
            server.ready.set()

    def _spawn(self, log: IO[bytes]) -> subprocess.Popen[str]:
        # -P: nothing in the user's working directory may pass for a module of ours.
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "gpo.model.local.engine_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # An interrupt from the terminal is for us: what is in flight may still finish.
            start_new_session=True,
        )

    def _greet(self, process: subprocess.Popen[str], key: str) -> tuple[str, bool]:
        """Hand the child its settings and wait for its address and `guidance`; "" when it left instead."""
        assert process.stdin is not None
        assert process.stdout is not None
        settings = {
            "parent": os.getpid(),
            "path": str(self.path),
            "name": self.name,
            "key": key,
            **asdict(self.settings),
        }
        try:
            process.stdin.write(json.dumps(settings) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            return "", False
        line = process.stdout.readline()
        told = json.loads(line) if line else {}
        return str(told.get("url", "")), bool(told.get("guidance"))

    def _note_crash(self, server: Server) -> None:
        now = time.monotonic()
        self._crashes.append(now)
        if len([when for when in self._crashes if now - when < RESTART_WINDOW]) > RESTARTS:
            raise PermanentModelError(
                f"{self.name}: the engine crashed {RESTARTS + 1} times; at last: {_reason(server.said)}"
            )


def physical_cores() -> int:
    """Processor cores that this process may use, hyper-threads of one core counted once; at least 1."""
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    cores: set[str] = set()
    for cpu in usable:
        try:
            cores.add(Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text())
        except OSError:
            cores.add(str(cpu))
    return max(1, len(cores) or (os.cpu_count() or 2) // 2)


def _tail(log: IO[bytes]) -> str:
    log.seek(max(0, log.seek(0, os.SEEK_END) - _KEPT_BYTES))
    return log.read().decode(errors="replace")


def _reason(said: str) -> str:
    """What a log gives as the reason: llama.cpp's first line of level E, else the last line; and where it is kept."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if not lines:
        return "it said nothing"
    errors = [match[1] for line in lines if (match := re.match(r"[\d.]+ E (.*)", line))]
    words = " ".join((errors or lines[-1:])[0].split())[:300]
    try:
        handle, path = tempfile.mkstemp(prefix="gpo-engine-", suffix=".log", text=True)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(said)
    except OSError:
        return words
    return f"{words} (log: {path})"
