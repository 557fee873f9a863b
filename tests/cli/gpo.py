"""Running the `gpo` command as a person does: a process of its own, its exit code and both streams."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support import forked

MAIN = "from gpo.cli.main import main; main()"


def gpo(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`gpo ARGUMENTS` in `cwd`, with a `$GPO_HOME` of the test's own."""
    environment = {**os.environ, "GPO_HOME": str(cwd / "home"), **(env or {})}
    environment.pop("OPENAI_API_KEY", None)
    environment |= env or {}
    return forked.run(MAIN, *arguments, cwd=cwd, env=environment)
