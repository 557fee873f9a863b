"""Build the wheel and the source distribution, install the wheel outside of this checkout, and run it there.

    uv run python -m tests.release.wheel                       # builds, checks, installs and runs
    uv run python -m tests.release.wheel --dist dist           # checks what lies in dist already (the release workflow)
    uv run python -m tests.release.wheel --python 3.11 3.12    # these versions only

For each Python from 3.11 to 3.13: a new environment in a temporary folder, `gpo --version`, `gpo init`, and a run of
`gpo optimize` against a server on loopback. Where that Python is not on this machine nothing is fetched: the resolver
is asked whether wheels of every dependency are to be had for it. Exits with 1 where anything is not as it should be.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.landscape import Landscape
from tests.support.server import ModelServer

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "gpo"
PYTHONS = ("3.11", "3.12", "3.13")
EXTRAS = "all"


class ReleaseError(Exception):
    """What is wrong, in one line or with the output of the command that failed."""


def run(*command: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """The command's stdout. Raises `ReleaseError` with what it said where it fails."""
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=900
    )
    if done.returncode:
        raise ReleaseError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr.strip()}")
    return done.stdout


def build(dist: Path) -> None:
    """The source distribution, and the wheel that is made from it."""
    run("uv", "build", "--quiet", "--out-dir", dist, ROOT, cwd=dist)


def find_version() -> str:
    """What pyproject.toml says."""
    told: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(told["project"]["version"])


def check_contents(dist: Path) -> Path:
    """The wheel in `dist`, which must have every file of the package and no other, and its licence; the source
    distribution must have them too. Raises `ReleaseError`."""
    version = find_version()
    wheel = dist / f"gpo_prompts-{version}-py3-none-any.whl"
    source = dist / f"gpo_prompts-{version}.tar.gz"
    for path in (wheel, source):
        if not path.is_file():
            raise ReleaseError(f"{path}: is not there")
    wanted = {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    found = {name for name in names if ".dist-info/" not in name}
    if found != wanted:
        raise ReleaseError(f"{wheel.name}: differs from src/gpo in {sorted(found ^ wanted)[:10]}")
    if not any(name.endswith("licenses/LICENSE") for name in names):
        raise ReleaseError(f"{wheel.name}: has no licence")
    with tarfile.open(source) as unpacked:
        sources = {name.partition("/")[2].removeprefix("src/") for name in unpacked.getnames()}
    if missing := sorted(wanted - sources):
        raise ReleaseError(f"{source.name}: lacks {missing[:10]}")
    return wheel


def find_python(version: str) -> Path | None:
    """An interpreter of this version that is on this machine; none is fetched."""
    done = subprocess.run(
        ["uv", "python", "find", "--no-python-downloads", "--no-project", "--system", version],
        cwd=tempfile.gettempdir(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return Path(done.stdout.strip()) if done.returncode == 0 else None


def install_and_run(wheel: Path, python: Path, folder: Path) -> str:
    """What was seen of `wheel`, installed for `python` in a new environment below `folder`. Raises `ReleaseError`."""
    place = folder / "venv"
    run("uv", "venv", "--quiet", "--python", python, place, cwd=folder)
    run("uv", "pip", "install", "--quiet", "--python", place, wheel, cwd=folder)
    binary = place / ("Scripts" if sys.platform == "win32" else "bin")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_"))}
    env = {**clean, "GPO_HOME": str(folder / "home")}
    work = folder / "work"
    work.mkdir()
    version = run(binary / "gpo", "--version", cwd=work, env=env).strip()
    if version != find_version():
        raise ReleaseError(f"gpo --version says {version}, pyproject.toml {find_version()}")
    where = run(binary / "python", "-c", "import gpo; print(gpo.__file__)", cwd=work, env=env).strip()
    if not Path(where).is_relative_to(place):
        raise ReleaseError(f"{where}: is not in the new environment")
    landscape = Landscape()
    with (work / "items.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["input", "target"])
        writer.writeheader()
        writer.writerows(landscape.rows(60))
    with ModelServer(answer=landscape.answer) as server:
        flags = ["--yes", "--model", "landscape", "--base-url", server.base_url]
        run(binary / "gpo", "init", "items.csv", *flags, cwd=work, env=env)
        changes = ["--set", "prompt=amber anchor", "--set", "method.trajectory=recency"]
        changes += ["--set", "optimize.epochs=1", "--set", "optimize.candidates=3"]
        told = run(
            binary / "gpo", "optimize", *changes, "--run-dir", "run", "--json", cwd=work, env=env
        )  # fmt: skip
        calls = server.stats.finished
    result = json.loads(told)
    if result["status"] != "complete" or not (work / "run" / "report.html").is_file() or not calls:
        raise ReleaseError(f"the run is {result['status']} after {calls} calls")
    return f"gpo {version}: installed, initialised, optimized with {calls} calls"


def ask_resolver(wheel: Path, version: str, folder: Path) -> str:
    """How many packages the base and all extras take on this Python, by the resolver. Raises `ReleaseError`."""
    counts = []
    for extras in ("", f"[{EXTRAS}]"):
        requirements = folder / "requirements.in"
        requirements.write_text(f"gpo-prompts{extras} @ {wheel.as_uri()}\n")
        found = run(
            "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--python-version", version,
            "--only-binary", ":all:", "--no-python-downloads", requirements, cwd=folder,
        )  # fmt: skip
        counts.append(len([line for line in found.splitlines() if line and not line.startswith("#")]))
    return f"not on this machine; there are wheels of all {counts[0]} packages, and of {counts[1]} with [{EXTRAS}]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Say what was seen of each Python; 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.release.wheel")
    parser.add_argument("--dist", type=Path, help="a folder with both files, in place of building them")
    parser.add_argument("--python", nargs="+", default=list(PYTHONS), metavar="VERSION")
    parser.add_argument(
        "--require", action="store_true", help="a Python that is not on this machine is an error"
    )
    options = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="gpo-release-"))
    try:
        dist = options.dist.resolve() if options.dist else folder / "dist"
        if not options.dist:
            dist.mkdir()
            build(dist)
        wheel = check_contents(dist)
        print(f"{wheel.name}: {wheel.stat().st_size:,} bytes, the files of src/gpo and no other", flush=True)
        for version in options.python:
            place = folder / version
            place.mkdir()
            python = find_python(version)
            if python is None and options.require:
                raise ReleaseError(f"Python {version}: is not on this machine")
            seen = install_and_run(wheel, python, place) if python else ask_resolver(wheel, version, place)
            print(f"Python {version}: {seen}", flush=True)
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
