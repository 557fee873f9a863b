"""What the container files name is there: sources, extras, the command; and nobody runs as root.

They are linted by `python -m tests.release.lint`; whoever has podman or docker builds them as their first lines say.
"""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FILES = sorted((ROOT / "containers").iterdir())


def read_instructions(path: Path) -> list[tuple[str, str]]:
    """Each instruction with its arguments, continued lines joined, without comments."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(first, rest) for first, _, rest in (line.partition(" ") for line in joined.splitlines())]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_command_runs_and_not_as_root(path: Path) -> None:
    told = read_instructions(path)
    assert ("ENTRYPOINT", '["gpo"]') in told
    assert "gpo" in PROJECT["scripts"]
    users = [number for number, (name, _) in enumerate(told) if name == "USER"]
    assert users
    assert told[users[-1]][1] not in ("root", "0")
    assert all(name != "RUN" for name, _ in told[users[-1] :])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_extras_are_the_projects(path: Path) -> None:
    named = set(re.findall(r"\[([a-z,-]+)\]", path.read_text()))
    extras = {extra for group in named for extra in group.split(",")}
    assert extras <= PROJECT["optional-dependencies"].keys()
    assert ("local" in extras) == path.name.endswith(".local")


def test_the_build_sees_what_it_needs_and_no_more() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for needed in ("pyproject.toml", "src", PROJECT["readme"], *PROJECT["license-files"]):
        assert any(fnmatch(needed, pattern) for pattern in kept), needed
    assert all((ROOT / name).exists() for name in kept)
