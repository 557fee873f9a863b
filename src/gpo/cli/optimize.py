"""`gpo optimize CONFIG`: run an optimization, or go on with one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def optimize(
    config: Annotated[Path, typer.Argument(help="The configuration file (gpo init writes one).")] = Path(
        "gpo.yaml"
    ),
    run_dir: Annotated[
        Optional[Path],
        typer.Option(help="Where the run is kept; runs/NAME-OF-THE-CONFIGURATION if not given."),
    ] = None,
    set_: Annotated[
        Optional[list[str]],
        typer.Option("--set", metavar="KEY.PATH=VALUE", help="Override one key; may be repeated."),
    ] = None,
    preset: Annotated[
        Optional[str],
        typer.Option(
            metavar="paper|released",
            help="How to settle what the paper leaves open: as its text suggests (paper), or as the authors' released "
            "code does it (released). The same as --set preset=….",
        ),
    ] = None,
    data_dir: Annotated[
        Optional[Path],
        typer.Option(
            metavar="DIR", help="Where the rows of benchmarks lie; $GPO_DATA_DIR, else the Hugging Face hub."
        ),
    ] = None,
    fork: Annotated[
        Optional[Path],
        typer.Option(
            metavar="DIR", help="Folder of another run whose answers are used again for the same calls."
        ),
    ] = None,
    keep_going: Annotated[
        bool,
        typer.Option(
            "--keep-going",
            help="Go on where no reply to the initial prompt can be read. The same as --set optimize.keep_going=true.",
        ),
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Print what the run may cost; make no call.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Find a better prompt. The same command again goes on where the last one stopped."""
    from gpo.cli.shared.common import assemble, print_estimate, run_plan
    from gpo.config.load import load_config
    from gpo.config.locate import name_lines
    from gpo.run.layout import keep_layout

    overrides = [*(set_ or ()), *([f"preset={preset}"] if preset else ())]
    overrides += ["optimize.keep_going=true"] if keep_going else []
    directory = run_dir or Path("runs") / config.stem
    loaded = keep_layout(load_config(config, overrides), directory, fork)
    with name_lines(config, overrides):
        plan = assemble(loaded, config.parent, data_dir)
        if estimate:
            print_estimate(plan, as_json=json)
        else:
            run_plan(plan, directory, as_json=json, fork=fork)
