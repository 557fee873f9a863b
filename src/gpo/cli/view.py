"""`gpo view [RUNS_DIR]`: the runs of a folder in the browser, live."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def view(
    runs_dir: Annotated[Path, typer.Argument(help="A folder of runs, or one run.")] = Path("runs"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; 0 takes any.")] = 8327,
) -> None:
    """Look at runs in the browser while they go on. Answers on this machine alone; Ctrl+C ends it."""
    import asyncio
    import sys

    from gpo.errors import ConfigError
    from gpo.report.server import serve
    from gpo.text import printable

    if not runs_dir.is_dir():
        raise ConfigError(f"{runs_dir}: is not a folder; name the folder that holds the runs")

    def announce(address: str) -> None:
        print(
            f"{printable(str(runs_dir))} is shown at {address} (Ctrl+C ends it)", file=sys.stderr, flush=True
        )

    try:
        asyncio.run(serve(runs_dir, port, announce))
    except KeyboardInterrupt:
        pass  # the usual way to end it
