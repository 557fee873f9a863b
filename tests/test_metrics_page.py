"""Each Python block of docs/metrics.md runs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.support import forked

PAGE = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"
BLOCKS = re.findall(
    r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("def ")[-1].split("(")[0])
def test_a_python_block_runs(block: str, tmp_path: Path) -> None:
    environment = {**os.environ, "GPO_HOME": str(tmp_path / "home")}
    done = forked.run(block, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
