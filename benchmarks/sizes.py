"""How large an installation is: bytes and packages of the base and of every extra, and whether it resolves on musl.

    uv run python -m benchmarks.sizes                    # base and all extras; docs/installation.md has the table
    uv run python -m benchmarks.sizes --only base embed

Each is installed into a new environment in a temporary folder, with the versions of `[tool.uv] constraint-dependencies`
and wheels only. Counted is all of `site-packages` (this project too, without byte code), in MB of a million bytes. For
musl (Alpine) nothing is installed: the resolver is asked whether wheels are to be had.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MUSL = "x86_64-unknown-linux-musl"


@dataclass(frozen=True, slots=True)
class Size:
    """`packages` counts this project; `largest` are names with their MB."""

    name: str
    packages: int
    megabytes: float
    largest: tuple[tuple[str, float], ...]
    musl: bool


def read_project() -> tuple[str, list[str], list[str]]:
    """Name, extras and pinned versions of this project."""
    told: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = told["project"]
    return (
        project["name"],
        list(project["optional-dependencies"]),
        told["tool"]["uv"]["constraint-dependencies"],
    )


def uv(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`uv ARGUMENTS`, away from this project's settings."""
    return subprocess.run(
        ["uv", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False, timeout=1800
    )


def measure(extra: str, wheel: Path, constraints: Path, folder: Path) -> Size:
    """Install `extra` ("base" is none) from this project's `wheel` and add up. Raises `RuntimeError` where uv fails."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted = str(wheel) + ("" if extra == "base" else f"[{extra}]")
    place = folder / extra
    venv: list[str | Path] = ["venv", "--quiet", "--python", python, place]
    install: list[str | Path] = ["pip", "install", "--quiet", "--link-mode", "copy", "--only-binary", ":all:"]
    install += ["--python", place, "-c", constraints, wanted]
    for arguments in (venv, install):
        done = uv(*arguments, cwd=folder)
        if done.returncode:
            raise RuntimeError(f"{extra}: {done.stderr.strip()}")
    (site,) = place.glob("lib/python*/site-packages")
    sizes = {item.name: add_up(item) for item in site.iterdir() if item.name != "__pycache__"}
    largest = sorted(sizes.items(), key=lambda pair: -pair[1])[:4]
    return Size(
        extra,
        sum(name.endswith(".dist-info") for name in sizes),
        sum(sizes.values()) / 1e6,
        tuple((name, size / 1e6) for name, size in largest),
        resolves_on_musl(wanted, constraints, folder),
    )


def add_up(path: Path) -> int:
    """Bytes of a file or of all files below a folder, without byte code."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file() and file.suffix != ".pyc")


def resolves_on_musl(wanted: str, constraints: Path, folder: Path) -> bool:
    """Whether every package of an installation has a wheel for musl."""
    asked = folder / "musl.in"
    asked.write_text(wanted + "\n", encoding="utf-8")
    arguments = ("--python-platform", MUSL, "--only-binary", ":all:", "--no-header", "-c", constraints)
    done = uv("pip", "compile", "--quiet", asked, *arguments, cwd=folder)
    if done.returncode and "no usable wheels" not in done.stderr and "no wheels with" not in done.stderr:
        raise RuntimeError(f"{wanted}: {done.stderr.strip()}")
    return not done.returncode


def table(sizes: Sequence[Size]) -> str:
    """As docs/installation.md has it."""
    lines = ["| installation | packages | MB | largest | musl |", "| --- | ---: | ---: | --- | --- |"]
    for size in sizes:
        largest = ", ".join(f"{name} {megabytes:.0f}" for name, megabytes in size.largest)
        musl = "yes" if size.musl else "no"
        lines.append(f"| `{size.name}` | {size.packages} | {size.megabytes:.0f} | {largest} | {musl} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    _, extras, pins = read_project()
    names = ["base", *extras]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    only = parser.parse_args(arguments).only
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        constraints = folder / "constraints.txt"
        constraints.write_text("\n".join(pins) + "\n", encoding="utf-8")
        built = uv("build", "--quiet", "--wheel", "--out-dir", folder / "dist", ROOT, cwd=folder)
        if built.returncode:
            raise RuntimeError(built.stderr.strip())
        (wheel,) = (folder / "dist").glob("*.whl")
        print(table([measure(name, wheel, constraints, folder) for name in only]))


if __name__ == "__main__":
    main()
