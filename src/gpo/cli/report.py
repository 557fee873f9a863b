"""`gpo report RUN_DIR`: a run as one HTML file, or its essentials on the terminal."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Optional

import typer


def report(
    run_dir: Annotated[Path, typer.Argument(help="The folder of a run; it may still be going on.")],
    text: Annotated[bool, typer.Option("--text", help="Print the essentials instead.")] = False,
    out: Annotated[
        Optional[Path],
        typer.Option(metavar="FILE", help="The HTML file; report.html in RUN_DIR if not given."),
    ] = None,
    compare: Annotated[
        Optional[list[Path]],
        typer.Option(metavar="RUN_DIR", help="Another run to compare it with; may be repeated. Needs --out."),
    ] = None,
) -> None:
    """Write what a run found as one page that opens offline."""
    from gpo.errors import ConfigError

    if text and (out or compare):
        raise ConfigError("--text: goes with neither --out nor --compare")
    if compare and not out:
        raise ConfigError("--compare: name the file with --out")
    if text:
        from rich.console import Console

        from gpo.report.data import read_run
        from gpo.report.terminal import show_run

        show_run(read_run(run_dir), Console(highlight=False, soft_wrap=False))
        return
    if compare and out:
        from gpo.report.comparison.compare import compare_html
        from gpo.storage.atomic_write import encode_text, write_atomically

        write_atomically(out, encode_text(compare_html({str(path): path for path in (run_dir, *compare)})))
        print(out)
        return
    from gpo.cli.shared.common import say_next
    from gpo.report.page import write_report

    print(write_report(run_dir, out))
    say_next("open it in a browser", f"gpo export {shlex.quote(str(run_dir))} --to text    the best prompt")
