"""`gpo models list|pull`: the weights of embedded models."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Weights of the embedded models.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_() -> None:
    """Every registered model: its size, and whether it is on this machine."""
    from gpo.model.local.weights import listing

    for entry in listing():
        where = str(entry.path) if entry.path else "not here yet; gpo models pull fetches it"
        print(f"{entry.name:<26} {entry.size / 1e6:>7,.0f} MB   {where}")


@app.command()
def pull(name: Annotated[str, typer.Argument(help="A name from the list, with or without local/.")]) -> None:
    """Fetch a model's weights and verify them by the publisher's SHA-256."""
    from gpo.cli.display.pulling import PullDisplay
    from gpo.model.local.weights import pull as fetch

    with PullDisplay() as display:
        path = fetch(name.removeprefix("local/"), display.progress)
    print(path)
