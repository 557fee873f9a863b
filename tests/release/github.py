"""A little of what GitHub Actions does with a step: fill in `${{ … }}`, set the environment, run the shell."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def fill(text: object, values: Mapping[str, str]) -> str:
    """`text` with each `${{ name }}` as `values` has it. Raises `KeyError` for any other expression."""
    return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", lambda match: values[match[1]], str(text))


def run_step(
    step: Mapping[str, Any],
    values: Mapping[str, str],
    *,
    cwd: Path,
    temp: Path,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a step's `run` as the runner does: bash that stops at an error, files for outputs and the summary in `temp`.
    What is within `${{ }}` may stand in `env` only: in the shell's text it could be code."""
    assert "${{" not in step["run"], "an expression in shell text is code to the shell"
    script = temp / "step.sh"
    script.write_text(step["run"])
    own = {name: fill(value, values) for name, value in step.get("env", {}).items()}
    files = {
        "RUNNER_TEMP": str(temp),
        "GITHUB_OUTPUT": str(temp / "output"),
        "GITHUB_STEP_SUMMARY": str(temp / "summary"),
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
        cwd=cwd, env={**os.environ, **files, **own, **(env or {})},
        capture_output=True, text=True, timeout=800, check=False,
    )  # fmt: skip


def read_outputs(temp: Path) -> dict[str, str]:
    """What a step set, by name."""
    lines = (temp / "output").read_text().splitlines() if (temp / "output").exists() else []
    return dict(line.split("=", 1) for line in lines)
