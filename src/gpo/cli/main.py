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
    try:
        app(standalone_mode=True)
    except GPOError as error:
        _stop(str(error), error.exit_code)
    except KeyboardInterrupt:
        _stop("interrupted; run the same command again to go on", 130)
    except BrokenPipeError:
        # The reader of stdout left (`gpo … | head`); python would complain once more while it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    sys.exit(0)


def _stop(message: str, code: int) -> NoReturn:
    from gpo.text import printable

    print(f"gpo: {printable(message)}", file=sys.stderr)
    sys.exit(code)
