"""Running the `gpo` command as a person does: a process of its own, its exit code and both streams."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def gpo(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`gpo ARGUMENTS` in `cwd`, with a `$GPO_HOME` of the test's own."""
    environment = {**os.environ, "GPO_HOME": str(cwd / "home"), **(env or {})}
    environment.pop("OPENAI_API_KEY", None)
    environment |= env or {}
    return subprocess.run(
        [sys.executable, "-c", "from gpo.cli.main import main; main()", *map(str, arguments)],
        cwd=cwd,
        env=environment,
        text=True,
        capture_output=True,
        timeout=100,
        check=False,
    )
