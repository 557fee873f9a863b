"""`gpo models list|pull|check`: the weights of embedded models, and what an endpoint takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

app = typer.Typer(
    help="Weights of the embedded models; what an endpoint takes.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_() -> None:
    """Every registered model: its size, and whether it is on this machine."""
    import shutil
    import sys

    from gpo.cli.shared.common import say_next
    from gpo.model.local.weights import listing

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    for entry in listing():
        where = str(entry.path) if entry.path else "not here yet; gpo models pull fetches it"
        line = f"{entry.name:<26} {entry.size / 1e6:>7,.0f} MB   "
        # A path is never broken: where it does not fit it has a line of its own.
        print(
            f"{line}{where}" if width is None or len(line + where) <= width else f"{line.rstrip()}\n  {where}"
        )
    say_next("gpo init FILE --model local/NAME    a name from the list")


@app.command()
def pull(name: Annotated[str, typer.Argument(help="A name from the list, with or without local/.")]) -> None:
    """Fetch a model's weights and verify them by the publisher's SHA-256."""
    from gpo.cli.shared.common import say_next
    from gpo.cli.shared.pulling import PullDisplay
    from gpo.model.local.weights import pull as fetch

    with PullDisplay() as display:
        path = fetch(name.removeprefix("local/"), display.progress)
    print(path)
    say_next(f"gpo init FILE --model local/{name.removeprefix('local/')}")


@app.command()
def check(
    config: Annotated[
        Optional[Path], typer.Argument(help="A configuration, whose models are asked; gpo.yaml if not given.")
    ] = None,
    base_url: Annotated[Optional[str], typer.Option(help="Or an address, with /v1.")] = None,
    model: Annotated[Optional[str], typer.Option(help="The model's name there.")] = None,
    api_key_env: Annotated[Optional[str], typer.Option(help="The variable that holds the key.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Ask an endpoint a dozen small calls: is it there, what does it take, does it think, how fast is it."""
    import asyncio
    import json as json_
    import sys

    from gpo.cli.shared.checking import check_models, configured
    from gpo.cli.shared.common import wrap

    settings = configured(config, base_url, model, api_key_env)
    found = asyncio.run(check_models(settings))
    if json:
        print(json_.dumps({role: one.to_dict() for role, one in found.items()}, indent=2))
    else:
        for line in (line for one in found.values() for line in one.lines()):
            # Lines for gpo.yaml go on as comments, so that they may be copied.
            print(wrap(line, "    # " if "  # " in line else 21) if sys.stdout.isatty() else line)
    if any(one.findings.error for one in found.values()):
        raise typer.Exit(1)
