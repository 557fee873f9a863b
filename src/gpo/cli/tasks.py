"""`gpo tasks list|show`: the tasks that GPO brings."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Tasks that GPO brings.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_() -> None:
    """One line a task."""
    from gpo.task.builtin import describe, names

    for name in names():
        print(f"gpo/{name:<26} {describe(name)}")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A name from the list, with or without gpo/.")],
    rows: Annotated[int, typer.Option(help="How many rows of train are shown.")] = 3,
) -> None:
    """Sizes, settings and a few rows of a task."""
    from gpo.report.plain import printable
    from gpo.task.builtin import describe, load

    name = name.removeprefix("gpo/")
    splits, defaults = load(name, seed=0, split=None)
    print(f"gpo/{name}: {describe(name)}")
    print("rows: " + ", ".join(f"{split} {len(items)}" for split, items in splits.items()))
    for key, value in defaults.items():
        print(f"{key}: {value}")
    for row in splits["train"][:rows]:
        print()
        print(printable(str(row["input"]), newlines=True))
        print(f"→ {printable(str(row['target']))}")
