"""The `gpo` command: its verbs, and how an error becomes one line and an exit code.

Imports nothing heavy: `gpo --help` answers before any model, data or numerics library is loaded.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

import typer

from gpo.cli import bench, demo, evaluate, export, init, models, optimize, power, report, schema, tasks, view
from gpo.cli.shared.streams import drop_stdout, is_of_stdout, prepare_streams
from gpo.errors import GPOError

app = typer.Typer(
    name="gpo",
    help="Find a better prompt for a task, step by step, and prove that it is better.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("optimize")(optimize.optimize)
app.command("evaluate")(evaluate.evaluate)
app.command("bench")(bench.bench)
app.command("demo")(demo.demo)
app.command("export")(export.export)
app.command("init")(init.init)
app.command("power")(power.power)
app.command("report")(report.report)
app.command("schema")(schema.schema)
app.command("view")(view.view)
app.add_typer(models.app, name="models")
app.add_typer(tasks.app, name="tasks")


_INTERRUPTED = 130
_GO_ON = "interrupted; run the same command again to go on"


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        from gpo.extras import DISTRIBUTION

        print(version(DISTRIBUTION))
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Find a better prompt for a task, step by step, and prove that it is better."""


def main() -> NoReturn:
    """Entry point. Exit codes: 0 done, 1 failed, 2 bad configuration or arguments, 3 stopped by a budget,
    130 interrupted and resumable."""
    # Modules are objects that stay: to look for cycles among them takes a tenth of the time until a command is there.
    gc.set_threshold(20_000, 20, 20)
    prepare_streams()
    try:
        try:
            code, message = _run()
        finally:
            sys.stdout.flush()
    except OSError as error:
        if not is_of_stdout(error):
            raise
        drop_stdout()
        # A reader that left (`gpo … | head`) has what it wanted.
        code = 1
        message = "" if isinstance(error, BrokenPipeError) else f"stdout cannot be written ({error.strerror})"
    if message:
        from gpo.text import printable

        print(f"gpo: {printable(message)}", file=sys.stderr)
    sys.exit(code)


def _run() -> tuple[int | str | None, str]:
    """Exit code, and what is to be said of it."""
    try:
        app(standalone_mode=True)
    except GPOError as error:
        return error.exit_code, str(error)
    except OSError as error:
        if error.filename is None:
            raise
        # A name that is too long, a folder that may not be looked into: whatever the machine says of a file.
        return 1, str(GPOError(f"{os.fsdecode(error.filename)}: cannot be used ({error.strerror})"))
    except KeyboardInterrupt:
        return _INTERRUPTED, _GO_ON
    except (
        SystemExit
    ) as end:  # of the command line's parser, which says itself what it has to say but for one thing
        return end.code, _GO_ON if end.code == _INTERRUPTED else ""
    return 0, ""
