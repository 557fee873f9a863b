"""Run the tests of one mutant in a copy of the repository, in a child of this process that has loaded what is slow."""

from __future__ import annotations

import compileall
import contextlib
import importlib
import os
import py_compile
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutants.sample import Mutant, mutate

CPU_SECONDS, WALL_SECONDS = 90, 300
"""What the tests of one mutant may take: a mutant may loop for ever, or wait for ever."""

# What the tests load, without the package itself, which each child loads from the copy.
LOADED = ("numpy", "scipy.stats", "aiohttp", "aiohttp.web", "pydantic", "hypothesis", "jinja2", "yaml", "rich.live",
          "typer.testing", "rapidfuzz", "pytest_asyncio.plugin", "pytest_timeout", "xdist.plugin")  # fmt: skip


def copy_tree(root: Path, copy: Path) -> None:
    """Copy what git knows or would know of `root` to `copy`, so that the mutations are made beside the work."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=root, capture_output=True, check=True
    )
    shutil.rmtree(copy, ignore_errors=True)
    for name in filter(None, listing.stdout.decode().split("\0")):
        if (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, copy / name)
    # Compiled forms are told apart by the text: by its time, a file that changes twice in a second looks the same.
    compileall.compile_dir(
        copy / "src", quiet=1, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH
    )


def load() -> None:
    """Load what every child needs once, for all of them."""
    for name in LOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def check_mutant(copy: Path, mutant: Mutant, tests: Sequence[str], log: Path) -> tuple[str, float]:
    """Run `tests` against one mutant: "killed", "timeout" (killed as well) or "survived", and the seconds it took."""
    source = (copy / mutant.path).read_text(encoding="utf-8")
    return check_source(copy, mutant.path, mutate(source, mutant.operator, mutant.occurrence), tests, log)


def check_source(copy: Path, path: str, changed: str, tests: Sequence[str], log: Path) -> tuple[str, float]:
    """The same for a file whose text is to be `changed`. It is as it was afterwards."""
    file = copy / path
    source = file.read_text(encoding="utf-8")
    started = time.monotonic()
    file.write_text(changed, encoding="utf-8")
    try:
        code = run_tests(copy, tests, log)
    finally:
        file.write_text(source, encoding="utf-8")
    outcome = {None: "timeout", 0: "survived"}.get(code, "killed")
    return outcome, round(time.monotonic() - started, 1)


def run_tests(copy: Path, tests: Sequence[str], log: Path) -> int | None:
    """Run `tests` of the copy until the first failure, what they say into `log`: pytest's exit status, None where they
    did not end in time."""
    child = os.fork()
    if not child:
        _become_pytest(copy, tests, log)
    until = time.monotonic() + WALL_SECONDS
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return None if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU else status
        if time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(0.05)


def _become_pytest(copy: Path, tests: Sequence[str], log: Path) -> None:
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.chdir(copy)
        for name in [name for name in sys.modules if name.partition(".")[0] in ("gpo", "tests")]:
            del sys.modules[name]
        paths = [str(copy / "src"), str(copy)]
        sys.path[:0] = paths
        os.environ["PYTHONPATH"] = os.pathsep.join(paths)  # for the processes that the tests start
        loaded = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # plugins are loaded already
        code = int(
            pytest.main(["-x", "-q", "-n", "0", "-p", "no:cacheprovider", "--timeout", "60", *loaded, *tests])
        )
        sys.stdout.flush()
    except BaseException:
        code = 3
    os._exit(code)
