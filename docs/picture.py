"""Draws the README's picture, docs/result.svg, from a real run: uv run python docs/picture.py RUN_DIR

Knows what `gpo` prints at the end of a run, and nothing else.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console

from gpo.report.terminal import show
from gpo.result.result import Result

WIDTH = 100


def main() -> None:
    """Write the picture beside this file."""
    result = Result.read(Path(sys.argv[1]) / "result.json")
    console = Console(record=True, width=WIDTH, force_terminal=True, file=io.StringIO(), highlight=False)
    show(result, console)
    svg = console.export_svg(title="gpo demo")
    # The exported style names a web font; a picture in a repository must not ask a stranger's server for one.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"
    Path(__file__).with_name("result.svg").write_text(svg)


main()
